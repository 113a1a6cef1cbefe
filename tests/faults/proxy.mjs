import { once } from 'node:events';
import http from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

import { freePort } from '../../scripts/run/port.mjs';

// Stands between the gateway and Kratos. What a test says decides what becomes of a question to whoami; all else passes as
// it is, so that Kratos itself answers wherever nothing else was said.

/**
 * What happens to a question to whoami.
 * @callback Fault
 * @param {Exchange} exchange
 * @returns {unknown} a promise that fails breaks the connection off
 */

/**
 * A question on its way.
 * @typedef {object} Exchange
 * @property {http.IncomingMessage} request
 * @property {http.ServerResponse} response
 * @property {(credential?: Record<string, string>) => Promise<{ status: number, headers: http.IncomingHttpHeaders, body: Buffer }>} ask
 *   asks Kratos, if wanted with another's credential
 * @property {() => Promise<void>} pass gives Kratos' own answer
 * @property {(bytes: number) => void} sent tells how much of an endless body is out
 */

/**
 * A question that was asked.
 * @typedef {object} Question
 * @property {number} at when it came, in Unix milliseconds
 * @property {string} credential the session cookie's value or the token
 */

/**
 * @typedef {object} FaultProxy
 * @property {string} origin what the gateway takes for Kratos' public API
 * @property {(fault?: Fault, credential?: Record<string, string>) => void} answer what becomes of the questions from now on,
 *   of everybody's or of one credential's, which goes first; without a fault Kratos answers
 * @property {() => Promise<void>} refuse takes no connection from now on
 * @property {() => Promise<void>} accept takes them again
 * @property {() => Question[]} take the questions since the last call
 * @property {() => Promise<void>} idle settles when no question is open
 * @property {number} largest the most that went out of one endless body, in bytes
 * @property {() => Promise<void>} stop
 */

/**
 * @param {object} options
 * @param {string} options.kratos origin of Kratos' public API
 * @param {() => number} [options.now] the clock for {@link Question}; the machine's by default
 * @returns {Promise<FaultProxy>}
 */
export async function startFaultProxy({ kratos, now = Date.now }) {
  const port = await freePort();
  const agent = new http.Agent({ keepAlive: true });
  const own = new Map();
  let everybodys;
  let questions = [];
  const open = new Set();

  const answer = async (request, response) => {
    const credential = credentialOf(request.headers);
    if (new URL(request.url, kratos).pathname !== '/sessions/whoami') return forward(agent, kratos, request, response);
    questions.push({ at: now(), credential });
    const ask = (another) => whole(agent, kratos, request, another);
    const exchange = {
      request,
      response,
      ask,
      async pass() {
        const { status, headers, body } = await ask();
        response.writeHead(status, endToEnd(headers)).end(body);
      },
      sent: (bytes) => (proxy.largest = Math.max(proxy.largest, bytes)),
    };
    open.add(response);
    response.once('close', () => open.delete(response));
    return (own.get(credential) ?? everybodys ?? pass)(exchange);
  };
  const serve = async () => {
    const server = http.createServer((request, response) => {
      // A gateway that has heard enough breaks off.
      response.on('error', () => {});
      Promise.resolve(answer(request, response)).catch(() => response.destroy());
    });
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return server;
  };
  const close = async () => {
    if (server === undefined) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    server = undefined;
    await closed;
  };
  let server = await serve();
  const proxy = {
    origin: `http://127.0.0.1:${port}`,
    largest: 0,
    answer(fault, credential) {
      if (credential === undefined) everybodys = fault;
      else if (fault === undefined) own.delete(credentialOf(credential));
      else own.set(credentialOf(credential), fault);
    },
    refuse: close,
    async accept() {
      server ??= await serve();
    },
    take() {
      const taken = questions;
      questions = [];
      return taken;
    },
    async idle() {
      while (open.size > 0) await Promise.race([...open].map((response) => once(response, 'close')));
    },
    async stop() {
      await close();
      agent.destroy();
    },
  };
  return proxy;
}

/**
 * The session that a request's headers name, as Kratos reads them.
 * @param {Record<string, string | string[] | undefined>} headers
 * @returns {string} empty when there is none
 */
export function credentialOf({ cookie, 'x-session-token': token, authorization }) {
  const [, value] = /(?:^|;\s*)ory_kratos_session=([^;]*)/.exec(cookie ?? '') ?? [];
  return token ?? value ?? authorization?.replace(/^Bearer /i, '') ?? '';
}

// ---- the faults

/** Kratos' own answer. */
const pass = ({ pass }) => pass();

/**
 * A status with an error as Kratos writes them.
 * @param {number} status
 * @param {Record<string, string>} [headers]
 * @returns {Fault}
 */
export function error(status, headers = {}) {
  return ({ response }) => send(response, status, { error: { code: status, message: 'scripted' } }, headers);
}

/**
 * 429, with the time after which it may be tried again.
 * @param {number} seconds
 * @returns {Fault}
 */
export function rateLimited(seconds) {
  return error(429, { 'retry-after': String(seconds) });
}

/**
 * Kratos' own answer, late.
 * @param {number} milliseconds
 * @returns {Fault}
 */
export function delayed(milliseconds) {
  return async ({ pass }) => {
    await sleep(milliseconds);
    await pass();
  };
}

/** Nothing, ever. @type {Fault} */
export const silent = () => {};

/**
 * Half of Kratos' own answer, and then the connection is gone.
 * @param {object} [how]
 * @param {boolean} [how.length] whether the whole length was announced
 * @returns {Fault}
 */
export function half({ length = true } = {}) {
  return async ({ response, ask }) => {
    const { status, headers, body } = await ask();
    const { 'content-length': _, ...others } = endToEnd(headers);
    response.writeHead(status, length ? { ...others, 'content-length': body.length } : others);
    response.write(body.subarray(0, body.length >> 1), () => response.destroy());
  };
}

/** What {@link endless} sends at most: 2 GB. */
export const twoGigabytes = 2e9;

/**
 * Kratos' own answer with a member of 2 GB in it, as long as anybody listens.
 * @param {object} [how]
 * @param {boolean} [how.length] whether the length is announced
 * @returns {Fault}
 */
export function endless({ length = true } = {}) {
  return async ({ response, ask, sent }) => {
    const { body } = await ask();
    const start = Buffer.from(`${body.toString().trimEnd().slice(0, -1)},"padding":"`);
    const end = Buffer.from('"}');
    const chunk = Buffer.alloc(1 << 16, 'x');
    function* bytes() {
      yield start;
      for (let left = twoGigabytes - start.length - end.length; left > 0; left -= chunk.length) {
        sent(twoGigabytes - end.length - left);
        yield chunk.subarray(0, Math.min(left, chunk.length));
      }
      sent(twoGigabytes);
      yield end;
    }
    response.writeHead(200, { 'content-type': 'application/json', ...(length && { 'content-length': twoGigabytes }) });
    await pipeline(Readable.from(bytes()), response);
  };
}

/** A page with status 200, as of a load balancer. @type {Fault} */
export const page = ({ response }) => {
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>Maintenance</title>');
};

/**
 * A redirect, with Kratos' own answer in it.
 * @param {string} to
 * @returns {Fault}
 */
export function redirect(to) {
  return async ({ response, ask }) => {
    const { body } = await ask();
    response.writeHead(302, { location: to, 'content-type': 'application/json' }).end(body);
  };
}

/**
 * Status 200 with JSON that is no session of Kratos'.
 * @param {any} value
 * @returns {Fault}
 */
export function wrongJson(value) {
  return ({ response }) => send(response, 200, value);
}

/** Kratos' own answer, of a session that is not active. @type {Fault} */
export const inactive = async ({ response, ask }) => {
  const { status, body } = await ask();
  send(response, status, { ...JSON.parse(body.toString()), active: false });
};

/**
 * What Kratos says of somebody else.
 * @param {Record<string, string>} credential headers with the other's
 * @returns {Fault}
 */
export function anothers(credential) {
  return async ({ response, ask }) => {
    const { status, headers, body } = await ask(credential);
    response.writeHead(status, endToEnd(headers)).end(body);
  };
}

/**
 * One fault after the other, and again from the beginning.
 * @param {...(Fault | undefined)} faults without one Kratos answers
 * @returns {Fault}
 */
export function inTurn(...faults) {
  let turn = 0;
  return (exchange) => (faults[turn++ % faults.length] ?? pass)(exchange);
}

// ---- what is passed on

function send(response, status, value, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

/** Headers without those that are about a connection or a length. */
function endToEnd({ connection, 'keep-alive': _, 'transfer-encoding': __, ...others }) {
  return others;
}

async function toKratos(agent, kratos, { method, url }, headers, body) {
  const { hostname, port } = new URL(kratos);
  const request = http.request({ hostname, port, method, path: url, headers: endToEnd(headers), agent });
  if (body) body.pipe(request);
  else request.end();
  const [response] = await once(request, 'response');
  return response;
}

async function whole(agent, kratos, request, another) {
  const { cookie, 'x-session-token': token, authorization, ...others } = request.headers;
  const own = { cookie, 'x-session-token': token, authorization };
  const credential = Object.entries(another ?? own).filter(([, value]) => value !== undefined);
  const answer = await toKratos(agent, kratos, request, { ...others, ...Object.fromEntries(credential) });
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.concat(await answer.toArray()) };
}

async function forward(agent, kratos, request, response) {
  const answer = await toKratos(agent, kratos, request, request.headers, request);
  response.writeHead(answer.statusCode, endToEnd(answer.headers));
  await pipeline(answer, response);
}
