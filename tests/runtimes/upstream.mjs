import http from 'node:http';
import { pipeline } from 'node:stream/promises';
import { gzipSync } from 'node:zlib';

import { echoWebSocket } from '../../scripts/demo/websocket.mjs';

/**
 * A request as it arrived.
 * @typedef {object} Received
 * @property {string} method
 * @property {string} target path and query, as sent
 * @property {[string, string][]} headers as sent, in order
 * @property {(name: string) => string[]} all the values of a header
 * @property {(name: string) => string | undefined} header its one value; throws when there are several
 */

/**
 * @typedef {object} Upstream
 * @property {string} origin
 * @property {() => Received[]} take what has arrived since the last call
 * @property {() => Received} one the same, when it must be exactly one
 * @property {() => void} release lets `/drip` write its end
 * @property {() => Promise<void>} stop
 */

/** A page that is compressed where it comes from. */
export const gzipped = gzipSync('compressed by the upstream\n'.repeat(200));

/**
 * Starts an upstream that writes down every request, and answers by path:
 *
 * | path | answer |
 * |---|---|
 * | `/status/N` | status N, with a body where HTTP allows one |
 * | `/cookies` | three `Set-Cookie` |
 * | `/redirect` | 302 to another host |
 * | `/cors` | CORS headers and a cache lifetime of its own |
 * | `/gzip` | a compressed body |
 * | `/echo` | the request's body, as it comes |
 * | `/count` | how many bytes the request's body had |
 * | `/drip` | `first`, and after `release()` `last` |
 * | `/hang-up` | none: the connection is closed |
 * | `/ws` | a WebSocket that sends back what it gets |
 * | any other | the request's body again, 200 |
 * @returns {Promise<Upstream>}
 */
export async function startUpstream() {
  let received = [];
  let released = deferred();
  const record = (request) => received.push(describe(request));

  const server = http.createServer((request, response) => {
    record(request);
    const drip = async () => {
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.write('first');
      await released.promise;
      response.end('last');
    };
    answer(request, response, drip).catch(() => response.destroy());
  });
  const upgraded = new Set();
  server.on('upgrade', (request, socket, head) => {
    record(request);
    upgraded.add(socket.once('close', () => upgraded.delete(socket)));
    echoWebSocket(request, socket, head);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  const take = () => {
    const taken = received;
    received = [];
    return taken;
  };
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    take,
    one() {
      const taken = take();
      if (taken.length !== 1) throw new Error(`the upstream got ${taken.length} requests instead of one`);
      return taken[0];
    },
    release() {
      released.resolve();
      released = deferred();
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        for (const socket of upgraded) socket.destroy();
      }),
  };
}

async function answer(request, response, drip) {
  const { pathname } = new URL(request.url, 'http://upstream.invalid');
  const [, status] = /^\/status\/(\d{3})$/.exec(pathname) ?? [];
  if (status !== undefined) {
    const bodiless = status === '204' || status === '304';
    response.writeHead(Number(status), bodiless ? { etag: '"e"' } : { 'content-type': 'text/plain' });
    return response.end(bodiless ? undefined : `status ${status}`);
  }
  switch (pathname) {
    case '/cookies':
      response.writeHead(200, { 'set-cookie': ['a=1; Path=/', 'b=2; Expires=Thu, 01 Jan 2032 00:00:00 GMT', 'c=3; HttpOnly'] });
      return response.end('three cookies');
    case '/redirect':
      response.writeHead(302, { location: 'https://elsewhere.example/next?a=b', 'x-from': 'upstream' });
      return response.end('see there');
    case '/cors':
      response.writeHead(200, {
        'access-control-allow-origin': '*',
        'access-control-allow-credentials': 'false',
        'cache-control': 'public, max-age=600',
        vary: 'Accept-Encoding',
      });
      return response.end('readable');
    case '/gzip':
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip', 'content-length': gzipped.length });
      return response.end(gzipped);
    case '/count':
      return response.end(String(await length(request)));
    case '/drip':
      return drip();
    case '/hang-up':
      return request.socket.destroy();
    default:
      response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' });
      response.flushHeaders();
      return pipeline(request, response);
  }
}

async function length(stream) {
  let bytes = 0;
  for await (const chunk of stream) bytes += chunk.length;
  return bytes;
}

function describe({ method, url, rawHeaders }) {
  const headers = [];
  for (let n = 0; n < rawHeaders.length; n += 2) headers.push([rawHeaders[n], rawHeaders[n + 1]]);
  const all = (name) => headers.filter(([own]) => own.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
  const header = (name) => {
    const values = all(name);
    if (values.length > 1) throw new Error(`the upstream got ${name} ${values.length} times`);
    return values[0];
  };
  return { method, target: url, headers, all, header };
}

function deferred() {
  let resolve;
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}
