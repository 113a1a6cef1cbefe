import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { createIdentity } from '../ory/identity.mjs';
import { loginApi, loginBrowser, logout } from '../ory/login.mjs';
import { can } from './runtime.mjs';
import { open, rule, startSite, withToken } from './site.mjs';
import { verify } from './token.mjs';

// An instance may live for one request. What it was told, the next one knows. Of those that stay, sharing.test.mjs tells.

const person = { email: 'ada@example.com', password: 'correct horse battery' };
const skip = can.startsFresh ? false : 'this runtime decides itself when it starts an instance';

let site;

before(async () => {
  if (skip) return;
  site = await startSite({ rules: [rule('page', withToken), rule('open', open)], kratos: true, fresh: true });
  await createIdentity(site.kratos, person);
});
after(() => site?.stop());

const whoami = () => site.kratos.requestCount('/sessions/whoami');
const page = (headers, more) => site.ask('http://page.test/', { headers, ...more });

test('50 fresh instances, one after the other, ask Kratos once', { skip }, async (t) => {
  const { cookie } = await loginBrowser(site.origin, person);
  const asked = await whoami();
  const kids = new Set();
  for (let n = 0; n < 50; n++) {
    site.upstream.take();
    const answer = await page({ cookie });
    assert.equal(answer.status, 200, answer.text);
    const received = site.upstream.one();
    await verify(site, received);
    kids.add(received.header('authorization').split('.')[0]);
  }
  const count = (await whoami()) - asked;
  t.diagnostic(`50 fresh instances: Kratos counted ${count} whoami`);
  assert.equal(count, 1);
  assert.equal(kids.size, 1, 'all of them sign with the same key');
});

test('200 fresh instances at once ask Kratos a few times at most', { skip }, async (t) => {
  const { token } = await loginApi(site.origin, person);
  const asked = await whoami();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const answers = await Promise.all(Array.from({ length: 200 }, () => page({ 'x-session-token': token }, { agent })));
  agent.destroy();
  assert.ok(answers.every(({ status }) => status === 200), answers.find(({ status }) => status !== 200)?.text);
  const count = (await whoami()) - asked;
  t.diagnostic(`200 fresh instances, 32 at once: Kratos counted ${count} whoami`);
  assert.ok(count <= (can.asksOnce ? 1 : 8), `Kratos was asked ${count} times`);
});

test('a logout that one instance sees counts for the next', { skip }, async () => {
  const agent = await loginBrowser(site.origin, person);
  assert.equal((await page({ cookie: agent.cookie })).status, 200);
  assert.equal((await page({ cookie: agent.cookie })).status, 200);
  const { cookie } = agent;
  await logout(agent);
  assert.equal((await page({ cookie })).status, 401);
});
