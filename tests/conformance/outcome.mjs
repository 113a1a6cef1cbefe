import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';

import { valuesOf } from './wire.mjs';

// The form in which Oathkeeper's outcomes are written down, and ours made comparable to them.

/**
 * What came of a request. Headers have lower-case names and lists of values; a token that the gateway made is an object
 * `{ jwt }`, decoded.
 * @typedef {object} Outcome
 * @property {{ status: number, headers: Record<string, any[]>, body: any }} res what the client got; JSON is parsed
 * @property {{ method: string, target: string, host: string, headers: Record<string, any[]>, body: string }[]} upstream
 *   what the upstream got
 */

/** Headers of an answer that say something about the gateway. */
const ofInterest = new Set([
  'location', 'www-authenticate', 'content-type', 'set-cookie', 'retry-after', 'vary', 'allow', 'x-upstream', 'x-hop', 'x-dup',
  'cache-control', 'server', 'connection', 'upgrade',
]);
const familiesOfInterest = ['access-control-', 'x-ratelimit-'];

/** On the way to the upstream these belong to the connection, or are chance. */
const ofTheConnection = new Set(['content-length', 'transfer-encoding', 'traceparent', 'tracestate', 'b3', 'uber-trace-id']);

/**
 * @param {import('./client.mjs').Answer} answer
 * @param {import('./stand-ins/server.mjs').Received[]} received what the upstream got
 * @param {() => Promise<{ keys: object[] }>} fetchKeys the gateway's published keys
 * @returns {Promise<Outcome>}
 */
export async function outcomeOf(answer, received, fetchKeys) {
  const headers = await normalHeaders(answer.headers, isOfInterest, fetchKeys);
  const upstream = [];
  for (const { method, target, headers: own, body } of received) {
    const { host = [''], ...others } = await normalHeaders(own, (name) => !ofTheConnection.has(name), fetchKeys);
    upstream.push({ method, target, host: host[0], headers: others, body: body.toString() });
  }
  const [contentType = ''] = valuesOf(answer.headers, 'content-type');
  return { res: { status: answer.status, headers, body: normalBody(answer.body.toString(), contentType) }, upstream };
}

function isOfInterest(name) {
  return ofInterest.has(name) || familiesOfInterest.some((prefix) => name.startsWith(prefix));
}

function normalBody(text, contentType) {
  if (!contentType.includes('json')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

async function normalHeaders(headers, isWanted, fetchKeys) {
  const names = new Set(headers.map(([name]) => name.toLowerCase()).filter(isWanted));
  const normal = {};
  for (const name of names) {
    let values = valuesOf(headers, name);
    // Go iterates over cookies in any order.
    if (name === 'cookie') values = [values.flatMap((value) => value.split(';')).map((pair) => pair.trim()).sort().join(';')];
    normal[name] = await Promise.all(values.map((value) => normalToken(value, fetchKeys)));
  }
  return normal;
}

/** A token that the gateway made, without what chance and the clock put in; any other value as it is. */
async function normalToken(value, fetchKeys) {
  const [, token] = /^bearer (\S+\.\S+\.\S*)$/i.exec(value) ?? [];
  const decoded = token && decode(token);
  // The tokens that clients send in the cases have no `jti`.
  if (!decoded || typeof decoded.claims?.iss !== 'string' || !('jti' in decoded.claims)) return value;
  const { iat, exp, nbf, jti, ...claims } = decoded.claims;
  const { keys } = await fetchKeys();
  const key = keys.find(({ kid }) => kid === decoded.header.kid);
  const header = { ...decoded.header };
  if (key !== undefined && key.kid === (await calculateJwkThumbprint(key))) header.kid = '<thumbprint>';
  return { jwt: { header, claims, ttl: exp - iat, nbf_eq_iat: nbf === iat, sig_ok: key ? await isSigned(token, key) : null } };
}

function decode(token) {
  const parts = token.split('.');
  if (parts.length !== 3) return undefined;
  try {
    const [header, claims] = parts.slice(0, 2).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
    return { header, claims };
  } catch {
    return undefined;
  }
}

async function isSigned(token, key) {
  try {
    await compactVerify(token, await importJWK(key));
    return true;
  } catch {
    return false;
  }
}
