// Shows people where the gateway differs from Oathkeeper; conformance.test.mjs is the same as a test.
import { parseArgs } from 'node:util';

const usage = `usage: node tests/conformance/compare.mjs [--runtime R] [--scenario NAME]... [--case REGEX] [--verbose]

  --runtime R      cloudflare when it is not said
  --scenario NAME  one scenario, or several; all when it is not said
  --case REGEX     only cases whose scenario/id matches
  --verbose        what was compared of every case, also of those that are equal, and the gateway's log`;

function fail(message) {
  console.error(`compare.mjs: ${message}`);
  process.exit(2);
}

let values;
try {
  ({ values } = parseArgs({
    options: {
      runtime: { type: 'string' },
      scenario: { type: 'string', multiple: true },
      case: { type: 'string', default: '' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }));
} catch (error) {
  fail(`${error.message}\n${usage}`);
}
if (values.help) {
  console.log(usage);
  process.exit(0);
}
if (values.runtime !== undefined) process.env.EDGEKEEPER_RUNTIME = values.runtime;

// Not before: the runtime is read from the environment when it is loaded.
const { runScenario } = await import('./run.mjs');
const { scenarioNames } = await import('./scenario.mjs');
const { differingLines } = await import('./verdict.mjs');
const { count, line } = await import('./report.mjs');

const unknown = (values.scenario ?? []).find((name) => !scenarioNames.includes(name));
if (unknown !== undefined) fail(`there is no scenario ${unknown}; there are: ${scenarioNames.join(', ')}`);
let pattern;
try {
  pattern = new RegExp(values.case);
} catch (error) {
  fail(`--case: ${error.message}`);
}

const words = {
  equal: () => 'equal',
  listed: ({ difference }) => `differs as listed: ${difference.reason}`,
  differs: ({ difference }) => (difference ? 'DIFFERS otherwise than differences.json says' : 'DIFFERS'),
  stale: () => 'EQUAL, take it out of differences.json',
};

function show(result) {
  const { name, kind, request, expected, got } = result;
  console.log(`${name}: ${words[kind](result)}`);
  if (kind === 'equal' && !values.verbose) return;
  console.log(`    ${request.method} ${request.target}${values.verbose ? `  ${JSON.stringify(request)}` : ''}`);
  for (const each of differingLines(expected, got)) console.log(`    ${each}`);
  if (!values.verbose) return;
  if (kind !== 'equal') console.log(`    expected ${JSON.stringify(expected)}`);
  console.log(`    got ${JSON.stringify(got)}`);
}

const counts = [];
for (const scenario of values.scenario ?? scenarioNames) {
  let run;
  try {
    run = await runScenario(scenario, (name) => pattern.test(name));
  } catch (error) {
    fail(`${scenario}: ${error.message}`);
  }
  for (const result of run.results) if (values.verbose || result.kind !== 'equal') show(result);
  if (values.verbose && run.log) console.log(`the end of the gateway's log:\n${run.log}`);
  if (run.results.length + run.skipped > 0) counts.push(count(scenario, run));
}
if (counts.length === 0) fail(`no case matches ${values.case}`);
console.log(['', ...counts.map(line)].join('\n'));
process.exit(counts.some(({ failed }) => failed > 0) ? 1 : 0);
