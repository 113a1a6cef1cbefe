import { json, jsonObject, notJson, splitTarget } from './server.mjs';

const who = { 'X-Authz-User': 'from-authz', 'X-Authz-Extra': 'e1' };

/** Keto's answers by subject. */
const engine = new Map([
  ['deny403', json(403, { allowed: false })],
  ['rate', json(429, {}, { 'Retry-After': '4' })],
  ['odd', json(202, { allowed: true })],
  ['badjson', notJson()],
]);
const allowed = new Set(['alice', 'alice-tpl', 'anonymous']);

/**
 * A service that decides: what `remote`, `remote_json` and `keto_engine_acp_ory` ask. `/status/N` is answered with N.
 * @param {import('./server.mjs').Received} request
 * @returns {import('./server.mjs').Reply}
 */
export function remote(request) {
  const segments = splitTarget(request).path.replace(/^\/+/, '').split('/');
  if (segments.slice(0, 2).includes('engines')) {
    const { subject = '' } = jsonObject(request);
    return engine.get(subject) ?? json(200, { allowed: allowed.has(subject) });
  }
  if (segments[0] === 'status') return json(Number(segments[1]), {}, { ...who, 'Retry-After': '1', 'X-Foo': 'authz-foo' });
  return json(200, {}, segments[0] === 'noheaders' ? {} : who);
}
