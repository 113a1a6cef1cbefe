import assert from 'node:assert/strict';

import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';

import { send } from './client.mjs';

/** Where the keys are, on either listener. */
export const jwksPath = '/.well-known/jwks.json';

/**
 * The public keys as a verifier finds them.
 * @param {string} origin of a listener
 * @returns {Promise<{ keys: object[] }>}
 */
export async function fetchKeys(origin) {
  const answer = await send(origin, `${origin}${jwksPath}`);
  assert.equal(answer.status, 200, `${jwksPath} is there`);
  return answer.json();
}

/**
 * Verifies the token that an upstream got, with a library that is not ours and nothing but the published keys.
 * @param {import('./site.mjs').Site} site
 * @param {import('./upstream.mjs').Received} received
 * @param {string} [algorithm]
 * @returns {Promise<import('jose').JWTPayload>} its claims
 */
export async function verify(site, received, algorithm = 'EdDSA') {
  const token = tokenOf(received);
  const keys = await fetchKeys(site.origin);
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), { issuer: `${site.origin}/`, algorithms: [algorithm] });
  const { kid } = decodeProtectedHeader(token);
  const key = keys.keys.find((each) => each.kid === kid);
  assert.equal(kid, await calculateJwkThumbprint(key), 'the key is named by its RFC 7638 thumbprint');
  assert.equal(key.d, undefined, 'only the public half is published');
  return payload;
}

/**
 * The token that an upstream got.
 * @param {import('./upstream.mjs').Received} received
 * @returns {string}
 */
export function tokenOf(received) {
  const [, token] = /^Bearer (\S+)$/.exec(received.header('authorization') ?? '') ?? [];
  assert.ok(token, 'the upstream got a bearer token');
  return token;
}
