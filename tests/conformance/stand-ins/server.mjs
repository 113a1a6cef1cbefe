import { STATUS_CODES } from 'node:http';
import net from 'node:net';

import { isBodiless, Reader, valueOf } from '../wire.mjs';

/**
 * A request as a stand-in got it.
 * @typedef {object} Received
 * @property {string} method
 * @property {string} target
 * @property {[string, string][]} headers
 * @property {Buffer} body
 */

/**
 * What a stand-in answers; `Content-Length` is added.
 * @typedef {object} Reply
 * @property {number} status
 * @property {Record<string, string | string[]>} [headers]
 * @property {string} [body]
 */

/**
 * A server that a scenario's gateway speaks to.
 * @typedef {object} StandIn
 * @property {number} port
 * @property {() => Promise<void>} stop
 */

/**
 * @param {(request: Received) => Reply} answer
 * @returns {Promise<StandIn>}
 */
export async function startStandIn(answer) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    serve(socket, answer).catch(() => socket.destroy());
  });
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
  return {
    port: server.address().port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

async function serve(socket, answer) {
  const reader = new Reader(socket);
  for (let head = await reader.head(); head !== undefined; head = await reader.head()) {
    const { start, headers } = head;
    const [, method, target] = /^(\S+) (.*) HTTP\/1\.[01]$/.exec(start) ?? [];
    if (method === undefined) throw new Error('not a request');
    if (/^100-continue$/i.test(valueOf(headers, 'expect') ?? '')) socket.write('HTTP/1.1 100 Continue\r\n\r\n');
    const body = (await reader.body(headers)) ?? Buffer.alloc(0);
    write(socket, method, answer({ method, target, headers, body }));
    if (/\bclose\b/i.test(valueOf(headers, 'connection') ?? '')) return socket.end();
  }
  socket.end();
}

function write(socket, method, { status, headers = {}, body = '' }) {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`, 'Server: mock', `Date: ${new Date().toUTCString()}`];
  for (const [name, values] of Object.entries(headers)) for (const value of [values].flat()) lines.push(`${name}: ${value}`);
  if (!isBodiless(status)) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  socket.write(`${lines.join('\r\n')}\r\n\r\n${method === 'HEAD' || isBodiless(status) ? '' : body}`);
}

/**
 * A reply in JSON.
 * @param {number} status
 * @param {any} [value]
 * @param {Record<string, string>} [headers]
 * @returns {Reply}
 */
export function json(status, value = {}, headers = {}) {
  return { status, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(value) };
}

/**
 * What says that it is JSON and is not.
 * @param {string} [text]
 * @returns {Reply}
 */
export function notJson(text = 'nope') {
  return { status: 200, headers: { 'Content-Type': 'application/json' }, body: text };
}

/**
 * A page where JSON is expected.
 * @param {string} [text]
 * @returns {Reply}
 */
export function html(text = '<html>') {
  return { status: 200, headers: { 'Content-Type': 'text/html' }, body: text };
}

/**
 * The path and query of a request.
 * @param {Received} request
 * @returns {{ path: string, query: URLSearchParams }}
 */
export function splitTarget({ target }) {
  const [path, query = ''] = target.split(/\?(.*)/s);
  return { path, query: new URLSearchParams(query) };
}

/**
 * A request's body as a JSON object; an empty one when it is none.
 * @param {Received} request
 * @returns {Record<string, any>}
 */
export function jsonObject({ body }) {
  try {
    const value = JSON.parse(body.toString());
    return value !== null && typeof value === 'object' ? value : {};
  } catch {
    return {};
  }
}
