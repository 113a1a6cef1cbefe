import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createIdentity } from '../ory/identity.mjs';
import { loginApi, loginBrowser, logout } from '../ory/login.mjs';
import { rule, startSite, until, withToken } from './site.mjs';
import { fetchKeys, tokenOf, verify } from './token.mjs';

// The main job: a session at the real Kratos becomes a token at the upstream.

const password = 'correct horse battery';
const ada = { email: 'ada@example.com', password, traits: { name: { first: 'Ada', last: 'Lovelace' } } };
const bob = { email: 'bob@example.com', password };

const rules = [
  rule('page', withToken),
  rule('other', withToken),
  rule('copied', {
    mutators: [{ handler: 'id_token' }, { handler: 'header', config: { headers: { 'X-Id-Token': 'Bearer {{ print .IDToken }}' } } }],
  }),
  rule('guests', { authenticators: [{ handler: 'cookie_session' }, { handler: 'anonymous' }], ...withToken }),
];

let site;
let es256;

before(async () => {
  site = await startSite({ rules, kratos: true });
  const identities = [createIdentity(site.kratos, ada), createIdentity(site.kratos, bob)];
  es256 = await startSite({ rules, kratos: site.kratos, edge: { keys: { algorithm: 'ES256' } } });
  [ada.id, bob.id] = (await Promise.all(identities)).map(({ id }) => id);
});
after(async () => {
  await es256?.stop();
  await site?.stop();
});

/** Signs in through the gateway and asks for a page. */
async function visit(person, url = 'http://page.test/', headers = {}) {
  const agent = await loginBrowser(site.origin, person);
  site.upstream.take();
  const answer = await site.ask(url, { headers: { cookie: agent.cookie, ...headers } });
  assert.equal(answer.status, 200, answer.text);
  return { agent, answer, received: site.upstream.one() };
}

test('a login at Kratos through the gateway becomes a token that the upstream can verify', async () => {
  const { agent, answer, received } = await visit(ada);
  const payload = await verify(site, received);
  assert.equal(payload.sub, ada.id);
  assert.equal(payload.email, ada.email);
  assert.equal(payload.name, 'Ada');
  assert.equal(payload.sid, agent.session.id);
  assert.ok(payload.exp - payload.iat <= 300, 'it lives no longer than its ttl');
  assert.ok(payload.exp <= Date.parse(agent.session.expires_at) / 1000, 'it does not outlive the session');
  assert.match(answer.header('cache-control'), /private, no-store/, 'what one person sees is kept by no cache');
});

test('the keys are the same on the proxy and on the API listener', async () => {
  await visit(ada);
  const keys = await fetchKeys(site.api);
  assert.deepEqual(keys, await fetchKeys(site.origin));
  assert.deepEqual(keys.keys.map(({ kty, crv, alg, use }) => ({ kty, crv, alg, use })), [{ kty: 'OKP', crv: 'Ed25519', alg: 'EdDSA', use: 'sig' }]);
});

test('with ES256 the token is one that older verifiers understand', async () => {
  const agent = await loginBrowser(site.origin, ada);
  const answer = await es256.ask('http://page.test/', { headers: { cookie: agent.cookie } });
  assert.equal(answer.status, 200, answer.text);
  const payload = await verify(es256, es256.upstream.one(), 'ES256');
  assert.equal(payload.sub, ada.id);
});

test('a token is used again for the same session and rule, and for nothing else', async () => {
  const { agent, received } = await visit(ada);
  const ask = async (url, cookie) => {
    assert.equal((await site.ask(url, { headers: { cookie } })).status, 200);
    return tokenOf(site.upstream.one());
  };
  assert.equal(await ask('http://page.test/again', agent.cookie), tokenOf(received));
  assert.notEqual(await ask('http://other.test/', agent.cookie), tokenOf(received));
  const { received: second } = await visit(ada);
  assert.notEqual(tokenOf(second), tokenOf(received), 'another session of the same person');
});

test("the client's Authorization never reaches the upstream in place of the token", async () => {
  const forged = `Bearer ${Buffer.from('{"alg":"none"}').toString('base64url')}.e30.`;
  const { received } = await visit(ada, 'http://page.test/', { authorization: forged });
  assert.equal((await verify(site, received)).sub, ada.id);
});

test('a header template can hold the token that id_token has made', async () => {
  const { received } = await visit(ada, 'http://copied.test/');
  await verify(site, received);
  assert.equal(received.header('x-id-token'), received.header('authorization'));
});

test('a trait that somebody does not have is an empty claim', async () => {
  const { received } = await visit(bob);
  const payload = await verify(site, received);
  assert.equal(payload.name, '');
  assert.equal(payload.email, bob.email);
});

test('a guest has empty claims and passes where a rule says so', async () => {
  site.upstream.take();
  assert.equal((await site.ask('http://guests.test/')).status, 200);
  const payload = await verify(site, site.upstream.one());
  assert.deepEqual([payload.sub, payload.email, payload.name], ['guest', '', '']);
});

test('an API client comes in with X-Session-Token and with a bearer token', async () => {
  const { token } = await loginApi(site.origin, bob);
  for (const headers of [{ 'x-session-token': token }, { authorization: `Bearer ${token}` }]) {
    site.upstream.take();
    const answer = await site.ask('http://page.test/', { headers });
    assert.equal(answer.status, 200, `${Object.keys(headers)}: ${answer.text}`);
    assert.equal((await verify(site, site.upstream.one())).sub, bob.id);
  }
});

test("somebody's session token counts before somebody else's cookie, as at Kratos", async () => {
  const { cookie } = await loginBrowser(site.origin, ada);
  const { token } = await loginApi(site.origin, bob);
  site.upstream.take();
  for (const [headers, id] of [
    [{ cookie, 'x-session-token': token }, bob.id],
    [{ cookie, authorization: `Bearer ${token}` }, ada.id],
  ]) {
    assert.equal((await site.ask('http://page.test/', { headers })).status, 200);
    assert.equal((await verify(site, site.upstream.one())).sub, id, Object.keys(headers).join());
  }
  const refused = await site.ask('http://page.test/', { headers: { cookie, 'x-session-token': 'ory_st_nobody' } });
  assert.equal(refused.status, 401, 'a token that is no session does not fall back to the cookie');
  assert.deepEqual(site.upstream.take(), []);
});

test('a logout that passes through the gateway counts at once', async () => {
  const { agent } = await visit(ada);
  await logout(agent);
  const answer = await site.ask('http://page.test/', { headers: { cookie: agent.cookie } });
  assert.equal(answer.status, 401);
});

test('the log tells of each request, and of no credential, token or query', async () => {
  const { agent, received } = await visit(ada, 'http://page.test/logged?secret=in-the-query');
  const lines = () => site.log().split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  await until(async () => lines(), (all) => all.some(({ path }) => path === '/logged'));
  const { ms, us, policy, ...line } = lines().find(({ path }) => path === '/logged');
  assert.deepEqual([typeof ms, typeof us], ['number', 'number']);
  assert.match(policy, /^[0-9a-f]{16}$/, 'the version of the policy that decided');
  assert.deepEqual(line, {
    msg: 'decision',
    method: 'GET',
    host: 'page.test',
    path: '/logged',
    rule: 'page',
    authenticator: 'cookie_session',
    session: 'miss',
    key: JSON.parse(Buffer.from(tokenOf(received).split('.')[0], 'base64url')).kid,
    status: 200,
  });
  const text = site.log();
  const cookieValue = agent.cookie.split('=')[1];
  for (const [what, secret] of Object.entries({ cookie: cookieValue, token: tokenOf(received), query: 'in-the-query', address: ada.email })) {
    assert.ok(!text.includes(secret), `the ${what} is in the log`);
  }
});
