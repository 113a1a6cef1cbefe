import { appendFileSync } from 'node:fs';

import { runtime } from '../runtimes/runtime.mjs';

/**
 * What came of a scenario on a runtime. Each case is among the `equal`, the `differences` or the `failed`; one that is wrong only
 * in what other services were asked, or only at level `strict`, is among the equal and the failed.
 * @typedef {object} Count
 * @property {'conformance'} suite
 * @property {string} runtime
 * @property {string} scenario
 * @property {number} cases that were run
 * @property {number} equal as Oathkeeper, at level `core`
 * @property {number} strict as Oathkeeper, at level `strict`
 * @property {number} differences exactly as listed
 * @property {number} failed different and not listed so, or listed and not different
 */

/**
 * @param {string} scenario
 * @param {import('./run.mjs').ScenarioRun} run
 * @returns {Count}
 */
export function count(scenario, { results }) {
  const failed = results.filter(({ kind }) => kind === 'differs' || kind === 'stale').length;
  const differences = results.filter(({ kind, equal }) => kind === 'listed' && !equal.core).length;
  return {
    suite: 'conformance',
    runtime,
    scenario,
    cases: results.length,
    equal: results.filter(({ equal }) => equal.core).length,
    strict: results.filter(({ equal }) => equal.strict).length,
    differences,
    failed,
  };
}

/**
 * A count as a line for people.
 * @param {Count} count
 * @returns {string}
 */
export function line({ runtime: on, scenario, cases, equal, strict, differences, failed }) {
  const parts = [`core: ${equal} of ${cases} equal`];
  if (differences > 0) parts.push(`${differences} listed`);
  if (failed > 0) parts.push(`${failed} FAILED`);
  return `${on} ${scenario}: ${parts.join(', ')}; strict: ${strict} of ${cases}`;
}

/**
 * The sum of counts.
 * @param {Count[]} counts
 * @returns {Count}
 */
export function total(counts) {
  const sum = (name) => counts.reduce((all, each) => all + each[name], 0);
  const numbers = ['cases', 'equal', 'strict', 'differences', 'failed'].map((name) => [name, sum(name)]);
  return { suite: 'conformance', runtime, scenario: 'all', ...Object.fromEntries(numbers) };
}

/**
 * Appends a count to the file that `EDGEKEEPER_REPORT` names, if it names one, as a line of JSON.
 * @param {Count} count
 */
export function report(count) {
  const file = process.env.EDGEKEEPER_REPORT;
  if (file) appendFileSync(file, `${JSON.stringify(count)}\n`);
}
