// The demo's upstream: what a team would have behind the gateway, and the sign-in pages for Kratos.
//
//   node scripts/demo/upstream.mjs --port 3000 --kratos http://127.0.0.1:4433
import http from 'node:http';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { flowKinds, flowPage, staleFlowPage } from './flow-page.mjs';
import { homePage, messagePage, protectedPage } from './pages.mjs';
import { received } from './received.mjs';
import { echoWebSocket } from './websocket.mjs';

/**
 * @typedef {object} Upstream
 * @property {string} origin
 * @property {() => Promise<void>} stop
 */

/**
 * Starts the upstream on 127.0.0.1.
 * @param {object} options
 * @param {number} [options.port] a free one by default
 * @param {string} options.kratosPublic origin of Kratos' public API, asked for the sign-in forms
 * @returns {Promise<Upstream>}
 */
export async function startUpstream({ port = 0, kratosPublic }) {
  const server = http.createServer((request, response) => {
    route(request, response, kratosPublic).catch((error) => fail(request, response, error));
  });
  const upgraded = new Set();
  server.on('upgrade', (request, socket, head) => {
    upgraded.add(socket);
    socket.once('close', () => upgraded.delete(socket));
    if (request.url.split('?')[0] === '/ws') echoWebSocket(request, socket, head);
    else socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  });
  await new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        // The server does not count upgraded connections among its own.
        for (const socket of upgraded) socket.destroy();
      }),
  };
}

async function route(request, response, kratosPublic) {
  const url = new URL(request.url, 'http://demo.invalid');
  const kind = url.pathname.slice(1);
  if (flowKinds.includes(kind)) return flow(request, response, { kind, query: url.searchParams, kratosPublic });
  switch (url.pathname) {
    case '/':
      return page(response, 200, homePage());
    case '/protected':
      return page(response, 200, protectedPage(received(request)));
    case '/error':
      return page(response, 200, messagePage('Something went wrong', await errorText(url.searchParams.get('id'), kratosPublic)));
    case '/api/whoami':
      return json(response, received(request));
    case '/api/echo':
      return echo(request, response);
    case '/sse':
      return events(response);
    default:
      return page(response, 404, messagePage('Not found', `The upstream has no page ${url.pathname}.`));
  }
}

async function flow(request, response, { kind, query, kratosPublic }) {
  const id = query.get('flow');
  if (!id) {
    response.writeHead(303, { location: `/self-service/${kind}/browser?${query}`, 'cache-control': 'no-store' });
    return response.end();
  }
  const answer = await fetch(`${kratosPublic}/self-service/${kind}/flows?${new URLSearchParams({ id })}`, {
    headers: { accept: 'application/json', cookie: request.headers.cookie ?? '' },
  });
  const body = await answer.json();
  if (answer.ok) return page(response, 200, flowPage(kind, body));
  return page(response, answer.status, staleFlowPage(kind, body.error?.reason ?? 'This form can no longer be used.'));
}

async function errorText(id, kratosPublic) {
  if (!id) return 'No error is named.';
  const answer = await fetch(`${kratosPublic}/self-service/errors?${new URLSearchParams({ id })}`);
  const body = await answer.json();
  const error = body.error ?? {};
  return error.reason ?? error.message ?? 'Kratos does not say what.';
}

async function echo(request, response) {
  response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/octet-stream' });
  await pipeline(request, response);
}

async function events(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  for (const n of [1, 2, 3]) {
    response.write(`id: ${n}\ndata: event ${n} of 3\n\n`);
    await sleep(100);
  }
  response.end();
}

function page(response, status, { headers, text }) {
  response.writeHead(status, headers);
  response.end(text);
}

function json(response, value) {
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(`${JSON.stringify(value, null, 2)}\n`);
}

function fail(request, response, error) {
  console.error(`demo upstream: ${request.method} ${request.url.split('?')[0]}: ${error.message}`);
  if (response.headersSent) response.destroy();
  else page(response, 502, messagePage('Something went wrong', 'The demo upstream could not answer; its log says why.'));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { port: { type: 'string', default: '3000' }, kratos: { type: 'string' } } });
  if (!values.kratos) {
    console.error('usage: node scripts/demo/upstream.mjs --kratos URL [--port NUMBER]');
    process.exit(2);
  }
  const upstream = await startUpstream({ port: Number(values.port), kratosPublic: values.kratos });
  console.log(upstream.origin);
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => upstream.stop());
}
