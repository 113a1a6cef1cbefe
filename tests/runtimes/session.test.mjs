import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { createIdentity, disableIdentity, revokeSession } from '../ory/identity.mjs';
import { enrolTotp, loginApi, loginBrowser, stepUp } from '../ory/login.mjs';
import { can } from './runtime.mjs';
import { loginUrl, rule, startSite, until, withToken } from './site.mjs';
import { verify } from './token.mjs';

// What the gateway remembers of Kratos' answers, and when it forgets.

const password = 'correct horse battery';
const rules = [rule('page', withToken)];

let site;
let brief;
let people = 0;

before(async () => {
  site = await startSite({ rules, kratos: { cacheable: true } });
  brief = await startSite({ rules, kratos: site.kratos, edge: { session: { ttl: '1s', stale_while_revalidate: '0s', negative_ttl: '1s' } } });
});
after(async () => {
  await brief?.stop();
  await site?.stop();
});

async function newPerson() {
  const person = { email: `person-${people++}@example.com`, password };
  return { ...person, ...(await createIdentity(site.kratos, person)) };
}

const page = (of, headers) => of.ask('http://page.test/', { headers });

test('1,000 requests with one cookie in ten seconds are one whoami at Kratos', async (t) => {
  const { cookie } = await loginBrowser(site.origin, await newPerson());
  const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
  const asked = await site.kratos.requestCount('/sessions/whoami');
  const started = performance.now();
  const answers = await Promise.all(Array.from({ length: 1000 }, () => site.ask('http://page.test/', { headers: { cookie }, agent })));
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  const whoami = (await site.kratos.requestCount('/sessions/whoami')) - asked;
  t.diagnostic(`1,000 requests in ${seconds.toFixed(2)} s: Kratos counted ${whoami} whoami`);

  assert.ok(answers.every(({ status }) => status === 200), 'every request is let through');
  const tokens = new Set(site.upstream.take().map((request) => request.header('authorization'))).size;
  if (can.oneInstance) assert.equal(tokens, 1, 'with one token');
  // Instances tell each other by a store; one that cannot write "where there is none" in one step lets a few ask at once.
  assert.ok(whoami >= 1 && whoami <= (can.asksOnce ? 1 : 4), `Kratos was asked ${whoami} times`);
  assert.ok(seconds <= 10, `it took ${seconds} s`);
});

test('a session that an administrator revokes ends when the remembered answer does', async () => {
  for (const [how, end] of [
    ['revoked', (person, agent) => revokeSession(site.kratos, agent.session.id)],
    ['disabled', (person) => disableIdentity(site.kratos, person.id)],
  ]) {
    const person = await newPerson();
    const agent = await loginBrowser(site.origin, person);
    assert.equal((await page(brief, { cookie: agent.cookie })).status, 200);
    await end(person, agent);
    const ask = () => page(brief, { cookie: agent.cookie });
    await until(ask, ({ status }) => status === 401, 4).catch((error) => assert.fail(`${how}: ${error.message}`));
  }
});

test('with a second factor set up, one factor is not enough: a browser is sent to give it, a program gets 401', async () => {
  const person = await newPerson();
  const secret = await enrolTotp(await loginBrowser(site.origin, person));
  const agent = await loginBrowser(site.origin, person);
  site.upstream.take();

  const html = await page(site, { cookie: agent.cookie, accept: 'text/html' });
  assert.equal(html.status, 302);
  assert.equal(html.header('location'), `${loginUrl}?aal=aal2&return_to=${encodeURIComponent('http://page.test/')}`);
  const json = await page(site, { cookie: agent.cookie, accept: 'application/json' });
  assert.equal(json.status, 401);
  assert.equal(json.json().error.code, 401);
  assert.deepEqual(site.upstream.take(), []);

  const raised = await stepUp(agent, secret);
  site.upstream.take();
  assert.equal((await page(site, { cookie: raised.cookie })).status, 200, 'the second factor counts at once');
  assert.equal((await verify(site, site.upstream.one())).sub, person.id);
});

test('an API client without its second factor gets 401 as well', async () => {
  const person = await newPerson();
  await enrolTotp(await loginApi(site.origin, person));
  const { token } = await loginApi(site.origin, person);
  assert.equal((await page(site, { 'x-session-token': token })).status, 401);
});

test('what is no session at Kratos is 401, whatever it looks like', async () => {
  const { cookie } = await loginBrowser(site.origin, await newPerson());
  site.upstream.take();
  for (const [what, headers] of [
    ['nothing', {}],
    ['an invented cookie', { cookie: 'ory_kratos_session=invented' }],
    ['an empty cookie', { cookie: 'ory_kratos_session=' }],
    ['a cookie cut short', { cookie: cookie.slice(0, -8) }],
    ['a cookie of another name', { cookie: cookie.replace('ory_kratos_session', 'ory_kratos_sessions') }],
    ['an invented token', { 'x-session-token': 'ory_st_invented' }],
    ['two tokens', { 'x-session-token': ['ory_st_a', 'ory_st_b'] }],
    ['an invented bearer token', { authorization: 'Bearer ory_st_invented' }],
    ['a cookie of 12 KB', { cookie: `ory_kratos_session=${'x'.repeat(12_000)}` }],
  ]) {
    const answer = await page(site, headers);
    assert.equal(answer.status, 401, what);
    assert.equal(answer.json().error.code, 401, what);
  }
  assert.deepEqual(site.upstream.take(), []);
});
