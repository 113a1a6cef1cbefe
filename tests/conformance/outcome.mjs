import { calculateJwkThumbprint, compactVerify, importJWK } from 'jose';

import { valuesOf } from './wire.mjs';

// The form in which Oathkeeper's outcomes are written down, and ours made comparable to them.

/**
 * What came of a request. Headers have lower-case names and lists of values; a token that the gateway made is an object
 * `{ jwt }`, decoded.
 * @typedef {object} Outcome
 * @property {{ status: number, headers: Record<string, any[]>, body: any }} res what the client got; JSON is parsed
 * @property {Asked[]} upstream what the upstream got
 * @property {Asked[]} side what other services were asked, key servers aside; JSON bodies are parsed
 */

/**
 * A request of the gateway.
 * @typedef {{ service: string, method: string, target: string, host: string, headers: Record<string, any[]>, body: any }} Asked
 */

/** Headers of an answer that say something about the gateway. */
const ofInterest = new Set([
  'location', 'www-authenticate', 'content-type', 'set-cookie', 'retry-after', 'vary', 'allow', 'x-upstream', 'x-hop', 'x-dup',
  'cache-control', 'server', 'connection', 'upgrade',
]);
const familiesOfInterest = ['access-control-', 'x-ratelimit-'];

/** The decision API answers with the headers that the upstream would get. */
const familiesOfDecisions = ['x-', 'authorization', 'cookie'];

/** On the way to the upstream these belong to the connection, or are chance. */
const ofTheConnection = new Set(['content-length', 'transfer-encoding', 'traceparent', 'tracestate', 'b3', 'uber-trace-id']);

/**
 * @param {import('./client.mjs').Answer} answer
 * @param {import('./stand-ins.mjs').Received[]} received what the upstream and the other services got
 * @param {() => Promise<{ keys: object[] }>} fetchKeys keys that the gateway's tokens may be signed with
 * @param {import('./scenario.mjs').Request['via']} [via]
 * @returns {Promise<Outcome>}
 */
export async function outcomeOf(answer, received, fetchKeys, via) {
  const families = via === 'decision' ? [...familiesOfInterest, ...familiesOfDecisions] : familiesOfInterest;
  const isWanted = (name) => ofInterest.has(name) || families.some((prefix) => name.startsWith(prefix));
  const headers = await normalHeaders(answer.headers, isWanted, fetchKeys);
  const [contentType = ''] = valuesOf(answer.headers, 'content-type');
  const outcome = { res: { status: answer.status, headers, body: normalBody(answer.body.toString(), contentType) }, upstream: [], side: [] };
  for (const request of received) {
    if (request.service === 'upstream') outcome.upstream.push(await asked(request, fetchKeys));
    else if (request.service !== 'keys') outcome.side.push(normalQuestion(await asked(request, fetchKeys)));
  }
  return outcome;
}

async function asked({ service, method, target, headers: own, body }, fetchKeys) {
  const { host = [''], ...headers } = await normalHeaders(own, (name) => !ofTheConnection.has(name), fetchKeys);
  return { service, method, target, host: host[0], headers, body: body.toString() };
}

/** Without the moment, and without what a hydrator is told of the match. */
function normalQuestion(question) {
  const body = parsed(question.body);
  if (question.service === 'hydrator') delete body?.match_context;
  delete body?.context?.requestedAt;
  return { ...question, body };
}

/** An error without what is another each time, or tells of the inside. */
function normalBody(text, contentType) {
  const body = contentType.includes('json') ? parsed(text) : text;
  const error = body?.error;
  if (error === null || typeof error !== 'object') return body;
  const { request, debug, ...rest } = error;
  if (typeof rest.reason === 'string') [rest.reason] = rest.reason.split('\ndebug=');
  return { ...body, error: rest };
}

/** What the JSON says, or the text when it is none. */
function parsed(text) {
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
    if (name === 'x-forwarded-for') values = values.map((value) => value.replace(/127\.0\.0\.1|::1/g, '<loopback>'));
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
    await compactVerify(token, await importJWK(publicPart(key)));
    return true;
  } catch {
    return false;
  }
}

/** A key server of the scenarios has private keys: it is where Oathkeeper gets those that it signs with. */
function publicPart({ d, p, q, dp, dq, qi, ...key }) {
  return key;
}
