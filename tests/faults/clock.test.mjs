import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { noClock, startClock } from './clock.mjs';

const skip = noClock;

let clock;

before(async () => {
  if (!skip) clock = await startClock();
});
after(() => clock?.stop());

/** Whether what a clock shows is ahead of ours by so many seconds, to the second. */
function assertAhead(seconds, look) {
  const before = Math.floor(Date.now() / 1000);
  const shown = look();
  const after = Math.floor(Date.now() / 1000);
  assert.ok(shown >= before + seconds && shown <= after + seconds, `${shown - before} s ahead`);
}

/** What a program's clock shows, in Unix seconds. */
function shownTo(env) {
  const { stdout, stderr } = spawnSync('date', ['+%s'], { env: { ...process.env, ...env }, encoding: 'utf8' });
  assert.equal(stderr, '');
  return Number(stdout);
}

test('a program with its environment goes by it, others do not', { skip }, () => {
  clock.pass(600);
  assertAhead(600, () => shownTo(clock.env));
  assertAhead(0, () => shownTo({}));
  assertAhead(600, () => Math.floor(clock.now() / 1000));
});

test('a program that runs sees it move, and its timers take as long as ever', { skip }, async () => {
  const script = `
    const started = Date.now();
    const passed = performance.now();
    const looks = setInterval(() => {
      if (Date.now() - started < 3_600_000) return;
      clearInterval(looks);
      console.log(performance.now() - passed < 3_600_000 ? 'moved' : 'everything moved');
    }, 5);
    console.log('started');`;
  const program = spawn(process.execPath, ['-e', script], { env: { ...process.env, ...clock.env }, stdio: ['ignore', 'pipe', 2] });
  let printed = '';
  program.stdout.on('data', (chunk) => {
    printed += chunk;
    if (printed === 'started\n') clock.pass(3_600);
  });
  await once(program, 'close');
  assert.equal(printed, 'started\nmoved\n');
});
