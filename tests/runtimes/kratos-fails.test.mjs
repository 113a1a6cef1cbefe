import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createIdentity } from '../ory/identity.mjs';
import { loginApi } from '../ory/login.mjs';
import { openRequest } from './client.mjs';
import { rule, startSite, until } from './site.mjs';
import { json, session, startWhoamiStandIn } from './whoami-stand-in.mjs';

// When Kratos cannot tell who somebody is, nobody is let in, and nobody is sent to sign in at a Kratos that is down.

const rules = [rule('page')];

let standIn;
let site;
let down;
let real;
let tokens = 0;

before(async () => {
  standIn = await startWhoamiStandIn();
  [site, down, real] = await Promise.all([
    startSite({ rules, whoami: standIn.origin, edge: { session: { timeout: '1s', ttl: '1s', stale_while_revalidate: '0s', stale_if_error: '3s' } } }),
    startSite({ rules }),
    startSite({ rules, kratos: true, edge: { session: { ttl: '1s', stale_while_revalidate: '0s' } } }),
  ]);
});
after(async () => {
  await Promise.all([site, down, real].map((each) => each?.stop()));
  await standIn?.stop();
});

/** A session token that nothing is remembered of. */
const fresh = () => ({ 'x-session-token': `ory_st_${tokens++}` });
const page = (of, headers) => of.ask('http://page.test/', { headers });

function assertUnavailable(answer, what) {
  assert.equal(answer.status, 503, what);
  assert.match(answer.header('retry-after'), /^\d+$/, what);
  assert.equal(answer.header('location'), undefined, what);
  assert.equal(answer.header('content-type'), 'application/json', what);
  assert.equal(answer.json().error.code, 503, what);
}

test('with Kratos down everybody gets 503 with Retry-After, and no browser is sent to sign in', async () => {
  for (const accept of ['text/html', 'application/json', '*/*']) assertUnavailable(await page(down, { ...fresh(), accept }), accept);
  assert.equal((await page(down, { accept: 'text/html' })).status, 302, 'without a credential Kratos is not needed');
  assert.deepEqual(down.upstream.take(), []);
});

function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}

const whole = (status, headers, body) => (response) => {
  response.writeHead(status, headers);
  response.end(body);
};
const active = JSON.stringify(session('ada'));

for (const [what, status, answerWith] of [
  ['HTML', 503, whole(200, { 'content-type': 'text/html' }, '<!doctype html><title>Maintenance</title>')],
  ['nothing', 503, whole(200, { 'content-type': 'application/json' }, '')],
  ['a session cut short', 503, whole(200, { 'content-type': 'application/json' }, active.slice(0, -1))],
  ['JSON that is no session', 401, (response) => json(response, 200, { active: true })],
  ['a list', 503, (response) => json(response, 200, [session('ada')])],
  ['a session without an identity', 401, (response) => json(response, 200, session('ada', { identity: null }))],
  ['a session without `active`', 401, (response) => json(response, 200, session('ada', { active: undefined }))],
  ['a session with `active: "true"`', 401, (response) => json(response, 200, session('ada', { active: 'true' }))],
  ['a session that is not active', 401, (response) => json(response, 200, session('ada', { active: false }))],
  ['a session that has ended', 401, (response) => json(response, 200, session('ada', { expires_at: '2020-01-01T00:00:00Z' }))],
  ['a redirect to a session', 503, (response, request) => {
    if (request.url === '/elsewhere') json(response, 200, session('ada'));
    else whole(302, { location: '/elsewhere' }, active)(response);
  }],
  ['2 MB', 503, (response) => json(response, 200, session('ada', { padding: 'x'.repeat(2 << 20) }))],
  ['a head and then nothing', 503, (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.write(active.slice(0, 20));
  }],
  ['no answer at all', 503, () => {}],
  ['a closed connection', 503, (response) => response.destroy()],
  ['500 with a session in it', 503, (response) => json(response, 500, session('ada'))],
  ['204', 503, whole(204)],
  ['404, as at a wrong path', 503, (response) => json(response, 404, { error: { code: 404 } })],
  ['401', 401, (response) => json(response, 401, { error: { code: 401 } })],
  ['403', 401, (response) => json(response, 403, { error: { code: 403 } })],
]) {
  test(`a whoami that answers ${what} lets nobody in: ${status}`, async () => {
    standIn.answerWith(answerWith);
    const credential = fresh();
    const started = performance.now();
    const answer = await page(site, { ...credential, accept: 'application/json' });
    assert.ok(performance.now() - started < 4000, 'it is given up in time');
    if (status === 503) {
      assertUnavailable(answer, what);
      assertUnavailable(await page(site, { ...credential, accept: 'text/html' }), 'a browser');
    } else {
      assert.equal(answer.status, status, answer.text);
    }
    assert.deepEqual(site.upstream.take(), []);
  });
}

test("Kratos' rate limit is 503 with its own Retry-After", async () => {
  standIn.answerWith((response) => json(response, 429, { error: { code: 429 } }, { 'retry-after': '17' }));
  const answer = await page(site, fresh());
  assertUnavailable(answer, '429');
  assert.equal(answer.header('retry-after'), '17');
});

test('a failing Kratos is not asked by every request', async () => {
  standIn.answerWith((response) => json(response, 500, {}));
  const credential = fresh();
  const asked = standIn.asked;
  const answers = await Promise.all(Array.from({ length: 50 }, () => page(site, credential)));
  assert.ok(answers.every(({ status }) => status === 503));
  // Each instance asks once in a second, and a busy machine takes some seconds for fifty requests.
  assert.ok(standIn.asked - asked <= 10, `it was asked ${standIn.asked - asked} times`);
});

test('who was let in a moment ago still is while Kratos fails, up to a ceiling', async () => {
  standIn.answerWith();
  const credential = fresh();
  assert.equal((await page(site, credential)).status, 200);
  standIn.answerWith((response) => json(response, 500, {}));
  const asked = standIn.asked;
  await until(() => page(site, credential), () => standIn.asked > asked);
  assert.equal((await page(site, credential)).status, 200, 'the answer is old, and Kratos fails');
  assertUnavailable(await page(site, fresh()), 'a stranger');
  assertUnavailable(await until(() => page(site, credential), ({ status }) => status !== 200), 'above the ceiling');
});

test('a client that goes away while Kratos is asked does not hold up the next one', async () => {
  const credential = fresh();
  const held = deferred();
  standIn.answerWith((response) => held.resolve(response));
  const request = openRequest(site.origin, 'http://page.test/', { headers: credential });
  request.on('error', () => {}).end();
  const pending = await held.promise;
  standIn.answerWith();
  request.destroy();
  const next = page(site, credential);
  json(pending, 200, session('ada'));
  assert.equal((await next).status, 200);
});

test('once Kratos refuses, an old answer does not count', async () => {
  standIn.answerWith();
  const credential = fresh();
  assert.equal((await page(site, credential)).status, 200);
  standIn.answerWith((response) => json(response, 401, {}));
  await until(() => page(site, credential), ({ status }) => status === 401, 4);
});

test('the real Kratos going down is survived by who is signed in', async () => {
  const person = { email: 'ada@example.com', password: 'correct horse battery' };
  await createIdentity(real.kratos, person);
  const { token } = await loginApi(real.kratos.public, person);
  const ask = () => page(real, { 'x-session-token': token });
  assert.equal((await ask()).status, 200);
  await real.kratos.stop();
  const stranger = await page(real, fresh());
  assertUnavailable(stranger, 'a stranger');
  await until(ask, () => /"session":"stale"/.test(real.log()), 5);
  assert.equal((await ask()).status, 200);
});
