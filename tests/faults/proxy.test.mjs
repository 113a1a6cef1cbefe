import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { once } from 'node:events';
import http from 'node:http';

import { send } from '../runtimes/client.mjs';
import { startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import * as faults from './proxy.mjs';

// That the tests of faults have the faults that they speak of.

const ada = { 'x-session-token': 'ory_st_ada' };
const bob = { cookie: 'theme=dark; ory_kratos_session=ory_st_bob' };

let kratos;
let proxy;

before(async () => {
  kratos = await startWhoamiStandIn();
  proxy = await faults.startFaultProxy({ kratos: kratos.origin });
});
beforeEach(async () => {
  await proxy.accept();
  for (const headers of [undefined, ada, bob]) proxy.answer(undefined, headers);
  proxy.take();
});
after(async () => {
  await proxy?.stop();
  await kratos?.stop();
});

const whoami = (headers) => send(proxy.origin, `${proxy.origin}/sessions/whoami`, { headers });

/** Who an answer says somebody is. */
const told = (answer) => answer.json().identity.id;

test('by itself it gives what Kratos says, and counts by credential', async () => {
  assert.equal(told(await whoami(ada)), 'ada');
  assert.equal(told(await whoami(bob)), 'bob');
  assert.equal((await whoami({})).status, 401);
  const questions = proxy.take();
  assert.deepEqual(questions.map(({ credential }) => credential), ['ory_st_ada', 'ory_st_bob', '']);
  assert.ok(questions.every(({ at }) => Math.abs(at - Date.now()) < 60_000));
  assert.deepEqual(proxy.take(), []);
});

test('what is no question to whoami passes, and is not counted', async () => {
  proxy.answer(faults.error(500));
  const answer = await send(proxy.origin, `${proxy.origin}/self-service/login/api?refresh=true`, { headers: ada, method: 'POST', body: 'a=b' });
  assert.equal(told(answer), 'ada');
  assert.deepEqual(proxy.take(), []);
});

test('a fault can be one credential\'s alone, and ends when it is told to', async () => {
  proxy.answer(faults.error(500), ada);
  assert.equal((await whoami(ada)).status, 500);
  assert.equal(told(await whoami(bob)), 'bob');
  proxy.answer(faults.error(502));
  assert.equal((await whoami(ada)).status, 500, 'its own goes first');
  assert.equal((await whoami(bob)).status, 502);
  proxy.answer(undefined, ada);
  proxy.answer();
  assert.equal(told(await whoami(ada)), 'ada');
  assert.equal(told(await whoami(bob)), 'bob');
});

test('it can take no connection, and take them again on the same port', async () => {
  await proxy.refuse();
  await proxy.refuse();
  await assert.rejects(whoami(ada), { code: 'ECONNREFUSED' });
  await proxy.accept();
  await proxy.accept();
  assert.equal(told(await whoami(ada)), 'ada');
});

test('errors have their status, a rate limit has its time', async () => {
  proxy.answer(faults.error(503));
  assert.equal((await whoami(ada)).status, 503);
  proxy.answer(faults.rateLimited(17));
  const answer = await whoami(ada);
  assert.equal(answer.status, 429);
  assert.equal(answer.header('retry-after'), '17');
});

test('a delay is one, and silence is no answer', async () => {
  proxy.answer(faults.delayed(200));
  const started = performance.now();
  assert.equal(told(await whoami(ada)), 'ada');
  assert.ok(performance.now() - started >= 190);
  proxy.answer(faults.silent);
  const request = http.get(`${proxy.origin}/sessions/whoami`, { headers: ada, agent: false });
  const outcome = Promise.race([once(request, 'response').then(() => 'answer'), new Promise((resolve) => setTimeout(resolve, 300, 'silence'))]);
  assert.equal(await outcome, 'silence');
  const idle = proxy.idle();
  request.on('error', () => {}).destroy();
  await idle;
});

test('half of an answer breaks off, with and without a length', async () => {
  for (const length of [true, false]) {
    proxy.answer(faults.half({ length }));
    const request = http.get(`${proxy.origin}/sessions/whoami`, { headers: ada, agent: false });
    const [response] = await once(request, 'response');
    assert.equal(response.headers['content-length'] !== undefined, length);
    let text = '';
    await assert.rejects(async () => {
      for await (const chunk of response) text += chunk;
    }, { code: 'ECONNRESET' });
    assert.match(text, /^\{"id":"session-of-ada"/);
    assert.throws(() => JSON.parse(text));
  }
});

test('2 GB are announced and sent, and end when nobody listens any more', async () => {
  for (const length of [true, false]) {
    proxy.answer(faults.endless({ length }));
    proxy.largest = 0;
    const request = http.get(`${proxy.origin}/sessions/whoami`, { headers: ada, agent: false });
    const [response] = await once(request, 'response');
    assert.equal(response.headers['content-length'], length ? String(faults.twoGigabytes) : undefined);
    let bytes = 0;
    for await (const chunk of response) {
      bytes += chunk.length;
      if (bytes > 8 << 20) break;
    }
    request.destroy();
    await proxy.idle();
    assert.ok(proxy.largest > 8 << 20 && proxy.largest < faults.twoGigabytes / 2, `${proxy.largest} bytes`);
  }
});

test('a page, a redirect, other JSON and a session that is not active are what they are called', async () => {
  proxy.answer(faults.page);
  assert.match((await whoami(ada)).header('content-type'), /html/);
  proxy.answer(faults.redirect('http://elsewhere.test/'));
  const redirect = await whoami(ada);
  assert.equal(redirect.status, 302);
  assert.equal(redirect.header('location'), 'http://elsewhere.test/');
  assert.equal(told(redirect), 'ada');
  proxy.answer(faults.wrongJson([1]));
  assert.deepEqual((await whoami(ada)).json(), [1]);
  proxy.answer(faults.inactive);
  const inactive = await whoami(ada);
  assert.equal(inactive.json().active, false);
  assert.equal(told(inactive), 'ada');
});

test('one can be given what Kratos says of another', async () => {
  proxy.answer(faults.anothers(bob), ada);
  assert.equal(told(await whoami(ada)), 'bob');
  assert.equal(told(await whoami(bob)), 'bob');
  proxy.answer(faults.anothers(ada), bob);
  assert.equal(told(await whoami(bob)), 'ada');
});

test('faults take turns', async () => {
  proxy.answer(faults.inTurn(faults.error(500), undefined));
  const statuses = [];
  for (let n = 0; n < 4; n++) statuses.push((await whoami(ada)).status);
  assert.deepEqual(statuses, [500, 200, 500, 200]);
});

test('with Kratos gone the connection breaks off', async () => {
  const gone = await faults.startFaultProxy({ kratos: 'http://127.0.0.1:9' });
  try {
    await assert.rejects(send(gone.origin, `${gone.origin}/sessions/whoami`, { headers: ada }), { code: 'ECONNRESET' });
  } finally {
    await gone.stop();
  }
});
