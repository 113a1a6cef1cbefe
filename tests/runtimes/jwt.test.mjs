import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, beforeEach, test } from 'node:test';

import { SignJWT, createLocalJWKSet, decodeProtectedHeader, exportJWK, generateKeyPair, jwtVerify } from 'jose';

import { startKeysStandIn } from './keys-stand-in.mjs';
import { rule, startSite } from './site.mjs';
import { fetchKeys, tokenOf } from './token.mjs';

// Tokens that others signed, and tokens signed with their keys, in every algorithm: a runtime may compute some of these
// itself. `jose` is the other side.

const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
const keysName = 'http://keys:4444';

const keys = {};
const other = {};
let site;
let standIn;

before(async () => {
  const sets = { '/public.json': [] };
  for (const alg of algorithms) {
    keys[alg] = await generateKeyPair(alg, { extractable: true });
    other[alg] = await generateKeyPair(alg, { extractable: true });
    const named = { alg, use: 'sig', kid: alg };
    sets['/public.json'].push({ ...(await exportJWK(keys[alg].publicKey)), ...named });
    sets[`/${alg}.json`] = [{ ...(await exportJWK(keys[alg].privateKey)), ...named }];
  }
  const [first, ...rest] = sets['/public.json'].filter((key) => key.crv === 'P-384');
  assert.deepEqual(rest, []);
  sets['/public.json'].push({ ...first, x: first.y, kid: 'off the curve' });
  standIn = await startKeysStandIn(sets);
  site = await startSite({
    rules: [
      rule('tokens', { authenticators: [{ handler: 'jwt' }], mutators: [{ handler: 'header' }] }),
      ...algorithms.map((alg) =>
        rule(`signs-${alg.toLowerCase()}`, {
          authenticators: [{ handler: 'anonymous' }],
          mutators: [{ handler: 'id_token', config: { jwks_url: `${keysName}/${alg}.json`, claims: '{}' } }],
        }),
      ),
    ],
    authenticators: {
      jwt: { enabled: true, config: { jwks_urls: [`${keysName}/public.json`], allowed_algorithms: algorithms } },
    },
    edge: { upstreams: { [keysName]: standIn.origin }, keys: { source: 'jwks_url' } },
  });
});
after(async () => {
  assert.doesNotMatch(site?.log() ?? '', /worker failed|panicked|trap/);
  await site?.stop();
  await standIn?.stop();
});
beforeEach(() => site.upstream.take());

/** What golang-jwt and go-jose made, some of it as only strict mode reads it. */
const golang = (name) => JSON.parse(readFileSync(new URL(`../../shared/token/tests/golang/${name}.json`, import.meta.url), 'utf8'));

/** A token of Ada's. */
const made = (alg, { privateKey }, { kid = alg, expires = '5m' } = {}) =>
  new SignJWT().setProtectedHeader({ alg, kid }).setSubject('ada').setExpirationTime(expires).sign(privateKey);

const show = (token) => site.ask('http://tokens.test/', { headers: { authorization: `Bearer ${token}` } });

for (const alg of algorithms) {
  test(`${alg}: who has a token passes, and nobody with one that is not genuine`, async () => {
    const token = await made(alg, keys[alg]);
    assert.equal((await show(token)).status, 200);
    assert.equal(site.upstream.one().header('x-user-id'), 'ada');

    const [header, claims, signature] = token.split('.');
    const bytes = Buffer.from(signature, 'base64url');
    bytes[bytes.length >> 1] ^= 1;
    const eve = Buffer.from(JSON.stringify({ sub: 'eve' })).toString('base64url');
    const forged = {
      'another signature': `${header}.${claims}.${bytes.toString('base64url')}`,
      'other claims': `${header}.${eve}.${signature}`,
      'half a signature': `${header}.${claims}.${bytes.subarray(0, bytes.length >> 1).toString('base64url')}`,
      'no signature': `${header}.${claims}.`,
      'another key': await made(alg, other[alg]),
      'past its time': await made(alg, keys[alg], { expires: '-1m' }),
    };
    for (const [what, bad] of Object.entries(forged)) assert.equal((await show(bad)).status, 401, what);
    assert.deepEqual(site.upstream.take(), []);
  });

  test(`${alg}: what an upstream gets is signed with the key of the set`, async () => {
    assert.equal((await site.ask(`http://signs-${alg.toLowerCase()}.test/`)).status, 200);
    const token = tokenOf(site.upstream.one());
    assert.deepEqual(decodeProtectedHeader(token), { alg, kid: alg, typ: 'JWT' });
    const published = await fetchKeys(site.origin);
    const { payload } = await jwtVerify(token, createLocalJWKSet(published), { algorithms: [alg] });
    assert.equal(payload.sub, 'guest');
  });
}

test('a key that is no point of its curve lets nobody in', async () => {
  assert.equal((await show(await made('ES384', keys.ES384, { kid: 'off the curve' }))).status, 401);
});

test('strict mode reads what old golang-jwt wrote: the longest salt, and keys of 1024 bits', async () => {
  const { RS, weak } = golang('keys');
  const secret = ['d', 'p', 'q', 'dp', 'dq', 'qi'];
  const published = [RS, weak].map((key) => Object.fromEntries(Object.entries(key).filter(([name]) => !secret.includes(name))));
  const server = await startKeysStandIn({ '/golang.json': published });
  const config = { jwks_urls: [`${keysName}/golang.json`], allowed_algorithms: ['RS256', 'PS256'] };
  const strict = await startSite({
    rules: [rule('tokens', { authenticators: [{ handler: 'jwt', config }] })],
    authenticators: { jwt: { enabled: true, config } },
    edge: { upstreams: { [keysName]: server.origin } },
    strict: true,
  });
  try {
    const tokens = golang('tokens');
    for (const name of ['RS256', 'PS256', 'PS256, longest salt', 'RS256, 1024 bits']) {
      const answer = await strict.ask('http://tokens.test/', { headers: { authorization: `Bearer ${tokens[name]}` } });
      assert.equal(answer.status, 200, name);
    }
  } finally {
    await strict.stop();
    await server.stop();
  }
});
