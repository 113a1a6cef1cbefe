import { valueOf } from '../wire.mjs';
import { html, json, notJson, splitTarget } from './server.mjs';

const issuer = 'http://iss.test/';
const aud1 = { aud: ['aud1'], iss: issuer };

/** Introspection (RFC 7662) by token. */
const tokens = new Map(
  Object.entries({
    act: json(200, {
      active: true,
      sub: 'alice',
      username: 'al',
      client_id: 'cid',
      scope: 'a b scope.x',
      aud: ['aud1', 'aud2'],
      iss: issuer,
      exp: 4102444800,
      token_use: 'access_token',
      ext: { k: 'v', n: 1 },
    }),
    actmin: json(200, { active: true }),
    actstraud: json(200, { active: true, sub: 'alice', aud: 'aud1', iss: issuer, scope: 'a' }),
    actbadaud: json(200, { active: true, sub: 'alice', aud: 5 }),
    inactive: json(200, { active: false }),
    expired: json(200, { active: true, sub: 'alice', exp: 1000000000, ...aud1, scope: 'a' }),
    refresh: json(200, { active: true, sub: 'alice', token_use: 'refresh_token', ...aud1, scope: 'a' }),
    badiss: json(200, { active: true, sub: 'alice', iss: 'http://evil.test/', aud: ['aud1'], scope: 'a' }),
    noaud: json(200, { active: true, sub: 'alice', iss: issuer, scope: 'a' }),
    noscope: json(200, { active: true, sub: 'alice', ...aud1 }),
    ovr: json(200, {
      active: true,
      sub: 'alice',
      username: 'real',
      client_id: 'c',
      scope: 'a',
      ...aud1,
      ext: { username: 'spoof', scope: 'spoof', aud: 'spoof' },
    }),
    s401: json(401),
    s403: json(403),
    s404: json(404),
    s429: json(429, {}, { 'Retry-After': '3' }),
    html: html(),
    empty: notJson(''),
  }),
);

/** The token endpoint (client credentials) by the client's id, as it stands in `Authorization`. */
const clients = new Map(
  Object.entries({
    'cc-ok': json(200, { access_token: 'tok-1', token_type: 'bearer', expires_in: 3600 }),
    'cc-sp%20ace': json(200, { access_token: 'tok-2', token_type: 'bearer' }),
    'cc%2Bplus': json(200, { access_token: 'tok-2', token_type: 'bearer' }),
    'cc-empty': json(200, { access_token: '', token_type: 'bearer' }),
    'cc-html': html(),
    'cc-400': json(400, { error: 'invalid_client' }),
    'cc-403': json(403),
    'cc-404': json(404),
    'cc-429': json(429, {}, { 'Retry-After': '9' }),
    'cc-500': json(500),
    'cc-503': json(503),
    'cc-504': json(504),
    pre: json(200, { access_token: 'pre-token', token_type: 'bearer', expires_in: 3600 }),
  }),
);

/**
 * An OAuth 2.0 authorization server: `/token`, and introspection on every other path.
 * @param {import('./server.mjs').Received} request
 * @returns {import('./server.mjs').Reply}
 */
export function introspection(request) {
  if (splitTarget(request).path === '/token') {
    const [, basic = ''] = /^Basic (.*)/s.exec(valueOf(request.headers, 'authorization') ?? '') ?? [];
    const [client] = Buffer.from(basic, 'base64').toString().split(':');
    return clients.get(client) ?? json(401, { error: 'invalid_client' });
  }
  const token = new URLSearchParams(request.body.toString()).get('token');
  return tokens.get(token) ?? json(200, { active: false });
}
