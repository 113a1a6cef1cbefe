import net from 'node:net';
import { once } from 'node:events';

import { isBodiless, Reader, valueOf } from './wire.mjs';

/** An answer that takes longer is none. Oathkeeper's own slowest, a pattern that backtracks, takes a quarter of a second. */
const timeoutSeconds = 30;

/**
 * An answer as it came.
 * @typedef {object} Answer
 * @property {number} status
 * @property {[string, string][]} headers
 * @property {Buffer} body
 */

/**
 * Sends a request byte for byte as it is described, on a connection of its own. Only `Host` and, with a body,
 * `Content-Length` are added.
 * @param {number} port on 127.0.0.1
 * @param {import('./scenario.mjs').Request} request
 * @returns {Promise<Answer>}
 * @throws {Error} when there is no answer, or half of one
 */
export async function send(port, { method, target, host = 'm.test', headers = [], body }) {
  // Python's client, which sent them to Oathkeeper, knows no empty target.
  const lines = [`${method} ${target || '/'} HTTP/1.1`, `Host: ${host}`, ...headers.map(([name, value]) => `${name}: ${value}`)];
  if (body !== undefined && valueOf(headers, 'content-length') === undefined) {
    lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  }
  const socket = net.connect(port, '127.0.0.1');
  socket.setTimeout(timeoutSeconds * 1000, () => socket.destroy(new Error(`no answer within ${timeoutSeconds} s`)));
  try {
    await once(socket, 'connect');
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body ?? ''}`);
    return await answerFrom(new Reader(socket), method);
  } finally {
    socket.destroy();
  }
}

async function answerFrom(reader, method) {
  for (;;) {
    const head = await reader.head();
    if (head === undefined) throw new Error('closed without an answer');
    const [, digits] = /^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(head.start) ?? [];
    if (digits === undefined) throw new Error(`not a status line: ${JSON.stringify(head.start)}`);
    const status = Number(digits);
    if (status < 200 && status !== 101) continue;
    const bodiless = method === 'HEAD' || isBodiless(status);
    const body = bodiless ? Buffer.alloc(0) : ((await reader.body(head.headers)) ?? (await reader.rest()));
    return { status, headers: head.headers, body };
  }
}
