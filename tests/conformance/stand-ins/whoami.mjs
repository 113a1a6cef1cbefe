import { valueOf, valuesOf } from '../wire.mjs';
import { html, json, notJson, splitTarget } from './server.mjs';

const alice = {
  id: 'sess-1',
  active: true,
  subject: 'alice',
  sub: 'alice-sub',
  extra: {
    email: 'alice@example.test',
    roles: ['admin', 'dev'],
    n: 42,
    f: 1.5,
    big: 12345678901,
    t: true,
    nested: { a: { b: 'deep' } },
    nul: null,
    html: '<b>&"\'',
    uni: 'žluťoučký',
  },
  identity: {
    id: '9f425a8d-7efc-4768-8f23-7647a74fdf13',
    traits: { email: 'alice@example.test', name: { first: 'Alice', last: 'L' } },
  },
};

const secondFactor = {
  redirect_browser_to: 'http://kratos.test/self-service/login/browser?aal=aal2',
  error: {
    id: 'session_aal2_required',
    code: 403,
    status: 'Forbidden',
    reason: 'Session does not have the requested authenticator assurance level',
  },
};

const rateLimit = {
  'Retry-After': '17',
  'X-RateLimit-Limit': '10',
  'X-RateLimit-Remaining': '0',
  'X-RateLimit-Reset': '99',
  'X-RateLimit-Type': 'user',
  'X-Other': 'no',
};

/** Answers by the credential. */
const sessions = new Map([
  ['valid', json(200, alice)],
  ['bob', json(200, { subject: 'bob', sub: 'bob-sub', extra: { email: 'bob@example.test' }, identity: { id: 'bob-id' } })],
  ['expired', json(401, { error: { code: 401, status: 'Unauthorized', reason: 'No valid session cookie found.' } })],
  ['aal2', json(403, secondFactor)],
  ['boom', json(500, { error: { code: 500 } })],
  ['unavail', json(503, { error: { code: 503 } })],
  ['rate', json(429, { error: { code: 429 } }, rateLimit)],
  ['created', json(201, alice)],
  ['nocontent', { status: 204 }],
  ['redir', { status: 302, headers: { Location: '/login' } }],
  ['redirok', { status: 302, headers: { Location: '/__ok' } }],
  ['html', html('<html>not json</html>')],
  ['empty', notJson('')],
  ['nosub', json(200, { extra: { a: 1 } })],
  ['noextra', json(200, { subject: 'carol', sub: 'carol-sub' })],
  ['numsub', json(200, { subject: 42, sub: 42, extra: {} })],
  ['nullsub', json(200, { subject: null, sub: null, extra: null })],
  ['arrextra', json(200, { subject: 'dave', sub: 'dave', extra: [1, 2] })],
  ['strextra', json(200, { subject: 'dave', sub: 'dave', extra: 'x' })],
  ['unisub', json(200, { subject: 'žofie\n', sub: 'žofie\n', extra: {} })],
  ['setcookie', json(200, alice, { 'Set-Cookie': 's=2', 'X-From-Kratos': '1' })],
]);

/**
 * A session store such as Kratos. The session's cookie, or another credential, names what it answers.
 * @param {import('./server.mjs').Received} request
 * @returns {import('./server.mjs').Reply}
 */
export function whoami(request) {
  const { path } = splitTarget(request);
  if (path === '/__ok') return json(200, alice);
  if (path === '/login') return html('<html>login</html>');
  return sessions.get(credential(request)) ?? json(401, { error: { code: 401 } });
}

function credential(request) {
  const pairs = valuesOf(request.headers, 'cookie').flatMap((value) => value.split(';'));
  for (const pair of pairs) {
    const [, name, value] = /^\s*([^=]*)=?(.*?)\s*$/s.exec(pair);
    if (['ory_kratos_session', 'sess', 'other'].includes(name)) return value;
  }
  const [, bearer] = / (.*)/s.exec(valueOf(request.headers, 'authorization') ?? '') ?? [];
  const header = valueOf(request.headers, 'x-session-token') || valueOf(request.headers, 'x-tok');
  return bearer ?? (header || splitTarget(request).query.get('tok'));
}
