// Shows people where the gateway differs from Oathkeeper; conformance.test.mjs is the same as a test.
import { parseArgs } from 'node:util';

const usage = `usage: node tests/conformance/compare.mjs [--runtime R] [--scenario NAME]... [--case REGEX] [--level core|strict]
                                          [--oathkeeper BIN] [--quiet] [--verbose]

  --runtime R       cloudflare when it is not said
  --scenario NAME   one scenario, or several; all when it is not said
  --case REGEX      only cases whose scenario/id matches
  --level LEVEL     core when it is not said; strict also shows what differs in words and in other headers
  --oathkeeper BIN  the real Oathkeeper instead of the gateway: does the suite itself do as it did?
  --quiet           only the counts
  --verbose         what was compared of every case, also of those that are equal, and the gateway's log`;

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
      level: { type: 'string', default: 'core' },
      oathkeeper: { type: 'string' },
      quiet: { type: 'boolean', default: false },
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
const { oathkeeperAt } = await import('./oathkeeper.mjs');
const { runScenario } = await import('./run.mjs');
const { scenarioNames } = await import('./scenario.mjs');
const { differingLines } = await import('./verdict.mjs');
const { count, line, total } = await import('./report.mjs');
const { levels } = await import('./view.mjs');

const unknown = (values.scenario ?? []).find((name) => !scenarioNames.includes(name));
if (unknown !== undefined) fail(`there is no scenario ${unknown}; there are: ${scenarioNames.join(', ')}`);
if (!levels.includes(values.level)) fail(`--level: ${values.level} is none of ${levels.join(', ')}`);
let pattern;
try {
  pattern = new RegExp(values.case);
} catch (error) {
  fail(`--case: ${error.message}`);
}

const words = {
  equal: () => 'equal',
  listed: ({ difference }) => `differs as listed (${difference.difference}): ${difference.reason}`,
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

const options = { isWanted: (name) => pattern.test(name), level: values.level };
if (values.oathkeeper !== undefined) options.start = oathkeeperAt(values.oathkeeper);
const counts = [];
for (const scenario of values.scenario ?? scenarioNames) {
  let run;
  try {
    run = await runScenario(scenario, options);
  } catch (error) {
    fail(`${scenario}: ${error.message}`);
  }
  if (run.results.length === 0) continue;
  counts.push(count(scenario, run));
  if (run.refused !== undefined) console.log(`${scenario}: ${run.results.length} cases DIFFER, because there is no gateway: ${run.refused}`);
  else if (!values.quiet) for (const result of run.results) if (values.verbose || result.kind !== 'equal') show(result);
  if (values.verbose && run.log) console.log(`the end of the gateway's log:\n${run.log}`);
}
if (counts.length === 0) fail(`no case matches ${values.case}`);
console.log(['', ...counts.map(line), line(total(counts))].join('\n'));
process.exit(counts.some(({ failed }) => failed > 0) ? 1 : 0);
