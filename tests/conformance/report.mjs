import { appendFileSync } from 'node:fs';

import { runtime } from '../runtimes/runtime.mjs';

/**
 * What came of a scenario on a runtime. `cases` = `equal` + `differences` + `failed`.
 * @typedef {object} Count
 * @property {'conformance'} suite
 * @property {string} runtime
 * @property {string} scenario
 * @property {number} cases that were run
 * @property {number} equal as Oathkeeper
 * @property {number} differences exactly as listed
 * @property {number} failed different and not listed so, or listed and not different
 * @property {number} skipped cases for a listener that is not here
 */

/**
 * @param {string} scenario
 * @param {import('./run.mjs').ScenarioRun} run
 * @returns {Count}
 */
export function count(scenario, { results, skipped }) {
  const of = (...kinds) => results.filter(({ kind }) => kinds.includes(kind)).length;
  return {
    suite: 'conformance',
    runtime,
    scenario,
    cases: results.length,
    equal: of('equal'),
    differences: of('listed'),
    failed: of('differs', 'stale'),
    skipped,
  };
}

/**
 * A count as a line for people.
 * @param {Count} count
 * @returns {string}
 */
export function line({ runtime: on, scenario, cases, equal, differences, failed, skipped }) {
  const parts = [`${equal}/${cases} equal`];
  if (differences > 0) parts.push(`${differences} listed`);
  if (failed > 0) parts.push(`${failed} FAILED`);
  if (skipped > 0) parts.push(`${skipped} skipped`);
  return `${on} ${scenario}: ${parts.join(', ')}`;
}

/**
 * Appends a count to the file that `EDGEKEEPER_REPORT` names, if it names one, as a line of JSON.
 * @param {Count} count
 */
export function report(count) {
  const file = process.env.EDGEKEEPER_REPORT;
  if (file) appendFileSync(file, `${JSON.stringify(count)}\n`);
}
