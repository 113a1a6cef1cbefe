import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { loginUrl, open, rule, startSite, withToken } from './site.mjs';
import { fetchKeys, tokenOf } from './token.mjs';
import { startWhoamiStandIn } from './whoami-stand-in.mjs';

// `--strict` reaches the runtime: each of these is the other way round without it. What strict means in full is the
// conformance suite's to measure.

let site;
let standIn;

before(async () => {
  standIn = await startWhoamiStandIn();
  site = await startSite({
    rules: [
      rule('page', { mutators: [{ handler: 'id_token', config: { claims: '{"email": "{{ print .Extra.identity.traits.email }}"}' } }] }),
      rule('missing', withToken),
      rule('headed', { mutators: [{ handler: 'header' }] }),
      rule('open', open),
      rule('gone', { ...open, upstream: { url: 'http://127.0.0.1:9' } }),
    ],
    whoami: standIn.origin,
    strict: true,
    // Oathkeeper's file is not there.
    edge: { keys: { source: 'own' } },
  });
});
after(async () => {
  await site?.stop();
  await standIn?.stop();
});

const session = { cookie: 'ory_kratos_session=ory_st_ada' };

test('strict: a session cookie becomes a token, whose keys are on the API alone', async () => {
  const answer = await site.ask('http://page.test/cors', { headers: session });
  assert.equal(answer.status, 200, answer.text);
  tokenOf(site.upstream.one());
  assert.equal(answer.header('cache-control'), 'public, max-age=600', "the upstream's Cache-Control stays");
  assert.equal((await fetchKeys(site.api)).keys.length, 1);
  assert.equal((await site.ask('http://page.test/.well-known/jwks.json')).status, 401, 'on the proxy it is a path like any other');
  assert.equal((await site.ask('http://nobody.test/.well-known/jwks.json')).status, 404);
});

test('strict: a claim from a trait that somebody does not have is 500', async () => {
  site.upstream.take();
  assert.equal((await site.ask('http://missing.test/', { headers: session })).status, 500);
  assert.deepEqual(site.upstream.take(), []);
});

test('strict: only the cookie is a session', async () => {
  assert.equal((await site.ask('http://page.test/', { headers: { 'x-session-token': 'ory_st_ada' } })).status, 401);
});

test('strict: whoever accepts HTML is redirected, a script too, without a guard', async () => {
  for (const ask of [{}, { method: 'POST', body: 'a' }, { headers: { 'sec-fetch-mode': 'cors' } }]) {
    const answer = await site.ask('http://page.test/x', { ...ask, headers: { accept: 'text/html', ...ask.headers } });
    assert.equal(answer.status, 302);
    assert.equal(answer.header('location'), `${loginUrl}?return_to=${encodeURIComponent('http://page.test/x')}`);
    assert.equal(answer.header('set-cookie'), undefined);
  }
});

test('strict: a rule replaces the headers it sets itself, and no others', async () => {
  site.upstream.take();
  await site.ask('http://open.test/', { headers: { 'x-user-id': 'someone' } });
  assert.equal(site.upstream.one().header('x-user-id'), 'someone');
  await site.ask('http://headed.test/', { headers: { 'x-user-id': 'someone', ...session } });
  assert.equal(site.upstream.one().header('x-user-id'), 'ada');
});

test('strict: an upstream that is down is 502 without a body', async () => {
  const answer = await site.ask('http://gone.test/');
  assert.deepEqual([answer.status, answer.text], [502, '']);
});
