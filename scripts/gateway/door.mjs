import { once } from 'node:events';
import net from 'node:net';

// Stands in for the front that is before a gateway in production, such as Cloudflare's: what comes through has passed a
// server that refuses what is no proper request. Locally nothing is before the runtimes, of which workerd cuts a request line
// short at its second space and fails with an exception on others, and wasmtime answers some with nothing at all. What is
// let through is what all of them can take.

/** No head is longer, in bytes: Cloudflare's own limit. */
const longestHead = 128 * 1024;

/** How long a client may take for a head. */
const headMilliseconds = 10_000;

/** How long what a refused client still sends is read. Closing at once would reset the connection, and the answer with it. */
const lingerMilliseconds = 500;

/**
 * A door that is open.
 * @typedef {object} Door
 * @property {string} origin
 * @property {() => Promise<void>} close also ends the connections that are there
 */

/**
 * Listens for clients and passes each connection on to a server on loopback, byte for byte, once the head of its first
 * request is there and is a proper one. Later requests of a connection are not looked at.
 * @param {object} options
 * @param {import('./arguments.mjs').Address} options.listen port 0 lets the system choose
 * @param {number} options.port of the server
 * @param {number} [options.patience] how long a client may take for a head, in milliseconds
 * @returns {Promise<Door>}
 * @throws {Error} `EADDRINUSE` when somebody listens there already
 */
export async function openDoor({ listen, port, patience = headMilliseconds }) {
  const sockets = new Set();
  const keep = (socket) => {
    sockets.add(socket);
    // What there is to do about an error is done when the socket is closed.
    socket.on('error', () => {}).once('close', () => sockets.delete(socket));
    return socket;
  };
  const passOn = (client) => {
    join(client, keep(net.connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })));
  };
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => receive(keep(client), patience, passOn));
  // In a URL an IPv6 address is in brackets, for a system it is not.
  server.listen(listen.port, listen.host.replace(/^\[|\]$/g, ''));
  await once(server, 'listening');
  const host = listen.host === '0.0.0.0' ? '127.0.0.1' : listen.host;
  return {
    origin: `http://${host}:${server.address().port}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** Reads a client's first head, and answers it or passes the connection on with everything that was read. */
function receive(client, patience, passOn) {
  let read = Buffer.alloc(0);
  let timer;
  const refuse = (answer) => {
    stopReading();
    hangUp(client, answer);
  };
  const late = () => refuse(read.length > 0 ? refusal('408 Request Timeout') : undefined);
  const waitForHead = () => {
    clearTimeout(timer);
    timer = setTimeout(late, patience);
  };
  const onData = (chunk) => {
    read = Buffer.concat([read, chunk]);
    for (let length = headLength(read); length > 0; length = headLength(read)) {
      const { answer, closes } = answerTo(read.latin1Slice(0, length));
      if (answer === undefined) {
        stopReading();
        client.pause();
        client.unshift(read);
        passOn(client);
        return;
      }
      if (closes) {
        refuse(answer);
        return;
      }
      client.write(answer);
      read = read.subarray(length);
      waitForHead();
    }
    if (read.length > longestHead) refuse(refusal('431 Request Header Fields Too Large'));
  };
  const onEnd = () => refuse(undefined);
  const stopReading = () => {
    clearTimeout(timer);
    client.off('data', onData).off('end', onEnd);
  };
  client.on('data', onData).once('end', onEnd);
  client.once('close', () => clearTimeout(timer));
  waitForHead();
}

/** Ends a connection, and reads for a while what its client still sends. */
function hangUp(client, answer) {
  client.end(answer);
  client.resume();
  const linger = setTimeout(() => client.destroy(), lingerMilliseconds);
  client.once('close', () => clearTimeout(linger));
}

/** How long the head at the beginning of these bytes is, with the empty line that ends it; 0 when it is not there yet. */
function headLength(bytes) {
  const end = /\n\r?\n/.exec(bytes.latin1Slice());
  return end === null ? 0 : end.index + end[0].length;
}

/**
 * What a head that is no proper request's is answered with, as Go's server does it. No answer: it is passed on.
 * @param {string} head
 * @returns {{ answer?: string, closes?: boolean }}
 */
function answerTo(head) {
  const [line, ...fields] = head.split(/\r?\n/);
  const values = (name) => fields.filter((field) => name.test(field)).map((field) => field.slice(field.indexOf(':') + 1).trim());
  const request = requestLine.exec(line)?.groups;
  if (request === undefined || !isTarget(request)) return refused('400 Bad Request', '400 Bad Request');
  const hosts = values(/^host:/i);
  if (hosts.length > 1) return refused('400 Bad Request', '400 Bad Request: too many Host headers');
  if (hosts.some((host) => !possibleHost.test(host))) return refused('400 Bad Request', '400 Bad Request: malformed Host header');
  const [expected = ''] = values(/^expect:/i);
  if (expected !== '' && !namesContinue.test(expected)) return refused('417 Expectation Failed');
  if (request.target !== '*') return {};
  // About the server, not about a page of it: RFC 9110, 9.3.7. With a body or in HTTP/1.0 there is no next request.
  const closes = values(/^(content-length|transfer-encoding|connection):/i).some((value) => !/^(0|keep-alive)?$/i.test(value));
  const ends = closes || request.minor === '0';
  return { answer: `HTTP/1.1 200 OK\r\n${ends ? 'Connection: close\r\n' : ''}Content-Length: 0\r\n\r\n`, closes: ends };
}

const requestLine = /^(?<method>[\w!#$%&'*+.^`|~-]+) (?<target>[^\x00-\x20\x7f]+) HTTP\/1\.(?<minor>[0-9])$/;

/** The forms that a target can have for any method: a path, a whole URL. RFC 9112, 3.2. */
const anyTarget = /^(\/|[a-z][a-z0-9+.-]*:)/i;

function isTarget({ method, target }) {
  return anyTarget.test(target) || method === 'CONNECT' || (method === 'OPTIONS' && target === '*');
}

/** Fewer than a URL may have (Go also takes its `!$&'()*+,;=~%`), but with any other workerd fails. */
const possibleHost = /^[\w.:[\]-]*$/;

const namesContinue = /(^|,)[ \t]*100-continue[ \t]*(,|$)/i;

function refused(status, body) {
  return { answer: refusal(status, body), closes: true };
}

function refusal(status, body = '') {
  const type = body === '' ? '' : 'Content-Type: text/plain; charset=utf-8\r\n';
  return `HTTP/1.1 ${status}\r\n${type}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Passes everything between two sockets, each direction to its own end. A client that breaks off breaks the server's. */
function join(client, server) {
  client.once('close', (failed) => {
    if (failed) server.resetAndDestroy();
  });
  // A server that does not read a request to its end resets the connection behind its answer, which is to arrive.
  server.once('close', (failed) => {
    client.unpipe(server);
    if (failed && server.bytesRead === 0) client.resetAndDestroy();
    else if (!client.destroyed) hangUp(client);
  });
  client.pipe(server);
  server.pipe(client);
}
