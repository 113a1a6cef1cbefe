import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { runtime } from '../runtimes/runtime.mjs';
import { count, line, report, total } from './report.mjs';
import { runScenario } from './run.mjs';
import { scenarioNames } from './scenario.mjs';
import { differingLines } from './verdict.mjs';

// What the real Oathkeeper v26.2.0 did with the same configuration and the same requests, byte for byte, is what happens
// here in strict mode, but for what differences.json lists. `node tests/conformance/compare.mjs` shows more.

/** Other runtimes' hosts have headers of their own, so that there is less to compare. */
const level = runtime === 'cloudflare' ? 'strict' : 'core';

const counts = [];

describe(`conformance on ${runtime}`, { concurrency: 2 }, () => {
  for (const name of scenarioNames) {
    test(`${name}: as Oathkeeper, but for the listed differences`, async (context) => {
      const run = await runScenario(name, { level });
      const counted = count(name, run);
      counts.push(counted);
      report(counted);
      context.diagnostic(line(counted));
      if (run.refused !== undefined) assert.fail(`${run.results.length} cases differ, because there is no gateway: ${run.refused}`);
      const complaints = run.results.flatMap(complaint);
      if (complaints.length > 0) assert.fail([...complaints, "the end of the gateway's log:", run.log].join('\n'));
    });
  }
});

// What a team that moves here counts on: docs/differences.md says what the rest is.
test(`on ${runtime} as many cases are equal as promised`, (context) => {
  const { cases, equal, strict, ...all } = total(counts);
  context.diagnostic(line({ cases, equal, strict, ...all }));
  assert.ok(equal >= 0.98 * cases, `core: ${equal} of ${cases}, but 98 % are promised`);
  if (runtime === 'cloudflare') assert.ok(strict >= 0.96 * cases, `strict: ${strict} of ${cases}, but 96 % are promised`);
});

function complaint({ name, kind, difference, expected, got }) {
  if (kind === 'equal' || kind === 'listed') return [];
  if (kind === 'stale') return [`${name} does not differ any more: take it out of differences.json for ${runtime}`];
  const how = difference === undefined ? 'differs' : 'differs otherwise than differences.json says';
  return [[`${name} ${how}:`, ...differingLines(expected, got)].join('\n    ')];
}
