import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify } from 'jose';

import { createIdentity } from '../ory/identity.mjs';
import { loginApi, loginBrowser } from '../ory/login.mjs';
import { open, rule, startSite, until, withToken } from './site.mjs';
import { tokenOf } from './token.mjs';

// A rule with `tokenize_as` passes the token on that the real Kratos makes of a session.

const password = 'correct horse battery';
const kid = 'kratos-tokenizer';
const mapper = `
  local session = std.extVar('session');
  { claims: { email: session.identity.traits.email, aal: session.authenticator_assurance_level } }
`;

let site;
let verifies;
let people = 0;

before(async () => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = async (key) => ({ ...(await exportJWK(key)), kid, alg: 'ES256', use: 'sig' });
  verifies = createLocalJWKSet({ keys: [await jwk(publicKey)] });
  const inline = (text) => `base64://${Buffer.from(text).toString('base64')}`;
  const template = {
    jwks_url: inline(JSON.stringify({ keys: [await jwk(privateKey)] })),
    claims_mapper_url: inline(mapper),
  };
  const templates = { lasting: { ...template, ttl: '10m' }, brief: { ...template, ttl: '5s' } };
  site = await startSite({
    rules: [rule('page', withToken), rule('brief', withToken), rule('unknown', withToken), rule('open', open)],
    kratos: { config: { session: { whoami: { tokenizer: { templates } } } } },
    edge: {
      server_timing: true,
      rules: { page: { tokenize_as: 'lasting' }, brief: { tokenize_as: 'brief' }, unknown: { tokenize_as: 'nowhere' } },
    },
  });
});
after(() => site?.stop());

async function newPerson() {
  const person = { email: `person-${people++}@example.com`, password };
  return { ...person, ...(await createIdentity(site.kratos, person)) };
}

test("the upstream gets Kratos' own token, and Kratos is asked for it once", async () => {
  const person = await newPerson();
  const { cookie } = await loginBrowser(site.origin, person);
  const asked = await site.kratos.requestCount('/sessions/whoami');
  const ask = (path) => site.ask(`http://page.test${path}`, { headers: { cookie, authorization: 'Bearer forged' } });

  const first = await ask('/?tokenize_as=brief');
  assert.equal(first.status, 200, first.text);
  const token = tokenOf(site.upstream.one());
  const { payload } = await jwtVerify(token, verifies, { issuer: `${site.origin}/`, algorithms: ['ES256'] });
  assert.deepEqual([payload.sub, payload.email, payload.aal], [person.id, person.email, 'aal1']);
  assert.equal(payload.exp - payload.iat, 600, "the template's own time, whatever the client asks for");
  assert.equal(decodeProtectedHeader(token).kid, kid);
  assert.match(first.header('server-timing'), new RegExp(`key;desc="${kid}"`));

  assert.equal((await ask('/again')).status, 200);
  assert.equal(tokenOf(site.upstream.one()), token, 'the same one');
  assert.equal((await site.kratos.requestCount('/sessions/whoami')) - asked, 1);
});

test('a session token is made one of, too', async () => {
  const person = await newPerson();
  const { token } = await loginApi(site.kratos.public, person);
  const answer = await site.ask('http://page.test/', { headers: { 'x-session-token': token } });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(decodeJwt(tokenOf(site.upstream.one())).sub, person.id);
});

test('a token is never passed on in the last tenth of its life', async () => {
  const { cookie } = await loginBrowser(site.origin, await newPerson());
  const seen = new Set();
  await until(
    async () => {
      // Whatever this machine is busy with, the gateway decides after this instant.
      const asked = Date.now() / 1000;
      const answer = await site.ask('http://brief.test/', { headers: { cookie } });
      assert.equal(answer.status, 200, answer.text);
      const token = tokenOf(site.upstream.one());
      seen.add(token);
      const left = decodeJwt(token).exp - asked;
      assert.ok(left >= 1, `${left} s were left`);
      return seen.size;
    },
    (size) => size === 3,
    20,
  );
});

test('a template that Kratos does not have is 503, never a login; the log names it', async () => {
  const { cookie } = await loginBrowser(site.origin, await newPerson());
  const answer = await site.ask('http://unknown.test/', { headers: { cookie, accept: 'text/html' } });
  assert.equal(answer.status, 503, answer.text);
  assert.deepEqual(site.upstream.take(), []);
  await until(() => site.log().includes('a template `nowhere`'), Boolean);
});
