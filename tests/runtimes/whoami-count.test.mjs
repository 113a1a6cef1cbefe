import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { noClock } from '../faults/clock.mjs';
import { credentialOf } from '../faults/proxy.mjs';
import { startFaultSite } from '../faults/site.mjs';
import { can, runtime } from './runtime.mjs';
import { rule, until } from './site.mjs';

// How often the real Kratos is asked. A proxy before it counts the questions of each session, and the gateway goes by a
// clock that the test moves.

const skip = noClock;

/** What is said of a session counts for a minute, as it does by default. */
const ttl = 60;

/**
 * How many may ask at the same moment. An isolate knows of its own requests, and where a store can add an entry in one step, so
 * do instances of each other; elsewhere a few of many that begin at once ask.
 */
const atOnce = can.asksOnce ? 1 : 8;

let site;

before(async () => {
  if (skip) return;
  // A machine that is busy may take its time for 500 requests.
  site = await startFaultSite({ rules: [rule('page')], edge: { session: { ttl: `${ttl}s`, timeout: '120s' } } });
});
after(() => site?.stop());

const page = (person, more) => site.ask('http://page.test/', { headers: person.headers, ...more });

/** Sends many requests at once, all of which must be let through. */
async function burst(person, count) {
  const agent = new http.Agent({ maxSockets: count });
  const answers = await Promise.all(Array.from({ length: count }, () => page(person, { agent })));
  agent.destroy();
  const refused = answers.filter(({ status }) => status !== 200);
  assert.deepEqual(refused.map(({ status, text }) => `${status} ${text}`), [], 'everybody is let through');
  await site.proxy.idle();
}

test('500 requests at once with one fresh cookie are at most 2 whoami per isolate', { skip }, async (t) => {
  const person = await site.newPerson();
  assert.ok(person.headers.cookie);
  site.proxy.take();
  await burst(person, 500);
  const asked = site.proxy.take().length;
  t.diagnostic(`${runtime}: 500 requests at once with one fresh cookie: ${asked} whoami`);
  assert.ok(asked >= 1 && asked <= atOnce, `Kratos was asked ${asked} times`);
});

test('a burst asks once when what was remembered has to be asked anew behind the answers, and once when it has ended', { skip }, async (t) => {
  const person = await site.newPerson();
  for (const [what, seconds] of [['to be asked anew', ttl + 5], ['ended', ttl + 3600]]) {
    await burst(person, 1);
    site.clock.pass(seconds);
    site.proxy.take();
    await burst(person, 200);
    const questions = [];
    // Behind the answers: the last of them may be there before the question.
    await until(async () => questions.push(...site.proxy.take()), () => questions.length > 0);
    await site.proxy.idle();
    questions.push(...site.proxy.take());
    t.diagnostic(`${runtime}: 200 requests at once, what is remembered has ${what}: ${questions.length} whoami`);
    assert.ok(questions.length <= atOnce, `Kratos was asked ${questions.length} times`);
  }
});

test('10 minutes of traffic are at most one whoami per session and minute', { skip }, async (t) => {
  const people = await Promise.all(Array.from({ length: 4 }, () => site.newPerson()));
  site.proxy.take();
  const started = site.clock.now();
  let requests = 0;
  const step = 2;
  // Where two instances may begin at once, that is the burst's matter, above.
  const together = can.asksOnce ? 2 : 1;
  for (let second = 0; second < 600; second += step) {
    // Not all of them are there all the time.
    const present = people.filter((_, n) => n === 0 || Math.floor(second / (40 * n)) % 2 === 0);
    const answers = await Promise.all(present.flatMap((person) => Array.from({ length: together }, () => page(person))));
    assert.ok(answers.every(({ status }) => status === 200), answers.map(({ status }) => status).join());
    requests += answers.length;
    await site.proxy.idle();
    site.clock.pass(step);
  }
  const questions = site.proxy.take();
  let most = 0;
  let shortest = Infinity;
  for (const person of people) {
    const times = questions.filter(({ credential }) => credential === credentialOf(person.headers)).map(({ at }) => (at - started) / 1000);
    assert.ok(times.length >= 5, 'it was asked at all');
    for (const [n, at] of times.entries()) {
      most = Math.max(most, times.filter((other) => other >= at && other < at + ttl - 1).length);
      if (n > 0) shortest = Math.min(shortest, at - times[n - 1]);
    }
  }
  const minutes = (site.clock.now() - started) / 60_000;
  t.diagnostic(
    `${runtime}: ${requests} requests of ${people.length} sessions in ${minutes.toFixed(1)} minutes: ${questions.length} whoami, ` +
      `at most ${most} per session and minute, never within ${shortest.toFixed(1)} s`,
  );
  // The gateway's clock counts whole seconds.
  assert.ok(most <= 1, `${most} times within a minute`);
});
