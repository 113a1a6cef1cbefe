/**
 * What of an outcome is compared.
 * - `core`: what a client, an upstream and the services that are asked can build on
 * - `strict`: everything that is written down of the client's answer and the upstream's request
 * @typedef {'core' | 'strict'} Level
 */

/** @type {Level[]} */
export const levels = ['core', 'strict'];

/** Headers of an answer that are compared. */
const compared = new Set(['location', 'www-authenticate', 'retry-after', 'authorization', 'cookie']);

/** Headers of the gateway's own requests that are not: each runtime has its own way with them. */
const passedOver = new Set(['user-agent', 'accept-encoding', 'accept', 'connection', 'via', 'cdn-loop']);

/**
 * @param {import('./outcome.mjs').Outcome} outcome
 * @param {Level} [level]
 * @returns {object}
 */
export function view({ res, upstream, side = [] }, level = 'core') {
  if (level === 'strict') return { ...res, upstream: upstream.map(({ service, ...request }) => request) };
  return {
    status: res.status,
    headers: pick(res.headers, isCompared),
    // Whether it had none at all of the headers that are written down.
    bare: Object.keys(res.headers).length === 0,
    body: bodyView(res.body),
    upstream: upstream.map(requestView),
    asked: askedView(side),
  };
}

function isCompared(name) {
  return compared.has(name) || name.startsWith('access-control-') || (name.startsWith('x-') && name !== 'x-upstream');
}

function isPassedOver(name) {
  return passedOver.has(name) || name.startsWith('x-forwarded-') || name.startsWith('cf-');
}

/** Of an error only what a program reads: `reason`, `request` and `debug` are words for people. */
function bodyView(body) {
  const error = body?.error;
  if (error === null || typeof error !== 'object') return body;
  return { code: error.code ?? null, status: error.status ?? null, message: error.message ?? null };
}

function requestView({ method, target, host, headers, body }) {
  return { method, target, host, headers: pick(headers, (name) => !isPassedOver(name)), body };
}

/**
 * What other services were asked. Not whoami, because the gateway remembers its answers; and not how often, because the
 * gateway has its own mind about trying again.
 */
function askedView(side) {
  const asked = side.filter(({ service }) => service !== 'kratos').map((each) => {
    const { body, headers, ...request } = requestView(each);
    // Go sends a Content-Type that the client did not have as an empty one; some runtimes send no empty header.
    const said = pick(headers, (name) => name !== 'content-type' || headers[name].some((value) => value !== ''));
    return { service: each.service, ...request, headers: said, body: isForm(each) ? formView(body) : withoutAddress(body) };
  });
  return asked.filter((each, index) => index === 0 || JSON.stringify(each) !== JSON.stringify(asked[index - 1]));
}

/** The address of the client's connection, which no runtime tells the gateway; old Keto is asked with it. */
function withoutAddress(body) {
  if (body?.context?.remoteIpAddress === undefined) return body;
  const { remoteIpAddress, ...context } = body.context;
  return { ...body, context };
}

function isForm({ headers, body }) {
  return typeof body === 'string' && (headers['content-type'] ?? []).some((type) => type.startsWith('application/x-www-form-urlencoded'));
}

function formView(body) {
  return [...new URLSearchParams(body)].map((pair) => pair.join('=')).sort();
}

function pick(headers, isWanted) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => isWanted(name)));
}
