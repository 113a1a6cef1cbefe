// Prints what the suites that run on every runtime came to: `node tests/report/table.mjs FILE`, a file of JSON lines.
import { readFileSync } from 'node:fs';

const [file] = process.argv.slice(2);
const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
const runtimes = [...new Set(lines.map((line) => line.runtime))];

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const of = (suite, runtime) => lines.filter((line) => line.suite === suite && line.runtime === runtime);

function row(name, cells) {
  return `${name.padEnd(34)}${cells.map((cell) => String(cell).padStart(12)).join('')}`;
}

function conformance(name) {
  return runtimes.map((runtime) => sum(of('conformance', runtime).map((line) => line[name])));
}

function blackBox(result) {
  return runtimes.map((runtime) => of('black-box', runtime).filter((line) => line.result === result).length);
}

const printed = [row('', runtimes)];
printed.push(row('conformance: cases', conformance('cases')));
printed.push(row('  equal to Oathkeeper', conformance('equal')));
printed.push(row('  equal at level strict', conformance('strict')));
printed.push(row('  listed differences', conformance('differences')));
printed.push(row('  other differences', conformance('failed')));
printed.push(row('black box: tests', runtimes.map((runtime) => of('black-box', runtime).length)));
printed.push(row('  passed', blackBox('passed')));
printed.push(row('  not for this runtime', blackBox('skipped')));
printed.push(row('  failed', blackBox('failed')));
console.log(printed.join('\n'));

// What only some runtimes have, by name: the difference between the columns is no secret.
const equalOn = new Map();
for (const { scenario, runtime, equal } of lines.filter((line) => line.suite === 'conformance')) {
  equalOn.set(scenario, { ...equalOn.get(scenario), [runtime]: equal });
}
const uneven = [...equalOn].filter(([, equal]) => new Set(runtimes.map((runtime) => equal[runtime])).size > 1);
if (uneven.length > 0) {
  console.log('\nScenarios that are not equal in the same number on all runtimes (tests/conformance/differences.json says why):');
  for (const [scenario, equal] of uneven) console.log(row(`  ${scenario}`, runtimes.map((runtime) => equal[runtime] ?? '-')));
}
const skipped = lines.filter((line) => line.result === 'skipped');
if (skipped.length > 0) console.log('\nTests that are not for a runtime:');
for (const { runtime, file: of, name, reason } of skipped) console.log(`  ${runtime}: ${of}: ${name}${reason ? ` (${reason})` : ''}`);
