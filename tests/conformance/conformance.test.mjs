import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { runtime } from '../runtimes/runtime.mjs';
import { count, line, report } from './report.mjs';
import { nothingToRun, runScenario } from './run.mjs';
import { scenarioNames } from './scenario.mjs';
import { differingLines } from './verdict.mjs';

// What the real Oathkeeper v26.2.0 did with the same configuration and the same requests, byte for byte, is what happens
// here in strict mode, but for what differences.json lists. `node tests/conformance/compare.mjs` shows more.

describe(`conformance on ${runtime}`, { concurrency: 2 }, () => {
  for (const name of scenarioNames) {
    const nothing = nothingToRun(name);
    if (nothing !== undefined) {
      report(count(name, nothing));
      continue;
    }
    test(`${name}: as Oathkeeper, but for the listed differences`, async (context) => {
      const run = await runScenario(name);
      const counted = count(name, run);
      report(counted);
      context.diagnostic(line(counted));
      const complaints = run.results.flatMap(complaint);
      if (complaints.length > 0) assert.fail([...complaints, "the end of the gateway's log:", run.log].join('\n'));
    });
  }
});

function complaint({ name, kind, difference, expected, got }) {
  if (kind === 'equal' || kind === 'listed') return [];
  if (kind === 'stale') return [`${name} does not differ any more: take it out of differences.json for ${runtime}`];
  const how = difference === undefined ? 'differs' : 'differs otherwise than differences.json says';
  return [[`${name} ${how}:`, ...differingLines(expected, got)].join('\n    ')];
}
