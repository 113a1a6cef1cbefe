import { splitTarget } from './server.mjs';

const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * What the gateway protects. `/up-status/N` anywhere in the path is answered with N, `/up-headers` with headers that a
 * gateway must handle, everything else with 200.
 * @param {import('./server.mjs').Received} request
 * @returns {import('./server.mjs').Reply}
 */
export function upstream(request) {
  const segments = splitTarget(request).path.split('/');
  const headers = { 'Content-Type': 'text/plain', 'X-Upstream': 'yes' };
  if (segments.includes('up-status')) {
    const status = Number(segments[segments.indexOf('up-status') + 1]);
    if (redirects.has(status)) headers.Location = 'http://elsewhere.test/x';
    if (status === 401) headers['WWW-Authenticate'] = 'Bearer';
    return { status, headers, body: `status ${status}` };
  }
  if (segments.includes('up-headers')) {
    Object.assign(headers, {
      'Set-Cookie': ['a=1; Path=/', 'b=2'],
      Connection: 'X-Hop',
      'X-Hop': 'drop-me',
      'Keep-Alive': 'timeout=5',
      'X-Dup': ['1', '2'],
      'Access-Control-Allow-Origin': 'http://from-upstream.test',
      'Cache-Control': 'no-store',
      Server: 'up',
    });
    return { status: 200, headers, body: 'headers' };
  }
  return { status: 200, headers, body: 'upstream-ok' };
}
