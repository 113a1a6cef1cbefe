import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, test } from 'node:test';

import { openDoor } from '../../scripts/gateway/door.mjs';

// The door before workerd: what workerd cannot take is answered, everything else passes byte for byte.

const head = 'GET /any HTTP/1.1\r\nHost: m.test\r\n\r\n';
const badRequest = refusal('400 Bad Request', '400 Bad Request');
const badHost = refusal('400 Bad Request', '400 Bad Request: malformed Host header');
const expectationFailed = 'HTTP/1.1 417 Expectation Failed\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
const serverOptions = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const patience = 300;

/** What the server behind the door does with a connection; without it, it sends back what it gets. */
let behave;
/** The connections that reached the server. */
let reached;
let clients;
let server;
let door;

beforeEach(async () => {
  reached = [];
  clients = [];
  behave = (socket) => socket.pipe(socket);
  server = net.createServer({ allowHalfOpen: true }, (socket) => {
    reached.push(socket);
    socket.on('error', () => {});
    behave(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  door = await openDoor({ listen: { host: '127.0.0.1', port: 0 }, port: server.address().port, patience });
});
afterEach(async () => {
  await door.close();
  for (const socket of [...reached, ...clients]) socket.destroy();
  server.close();
});

function refusal(status, body) {
  return `HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function connect() {
  const socket = net.connect({ port: Number(new URL(door.origin).port), host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
  clients.push(socket.on('error', () => {}));
  await once(socket, 'connect');
  return socket;
}

/** Sends some bytes, and gives everything that comes back until the door closes. */
async function exchange(text) {
  const socket = await connect();
  socket.write(text, 'latin1');
  return everything(socket);
}

/** What comes until the other side ends. */
async function everything(socket) {
  return Buffer.concat(await socket.toArray()).toString('latin1');
}

const get = (target, ...fields) => [`GET ${target} HTTP/1.1`, ...fields, '', ''].join('\r\n');

const refused = [
  ['a space in the target', get('/any/a b', 'Host: m.test'), badRequest],
  ['two spaces before the target', get(' /any', 'Host: m.test'), badRequest],
  ['a tab in the target', get('/any\tb', 'Host: m.test'), badRequest],
  ['a target that is none', get('any', 'Host: m.test'), badRequest],
  ['* for another method', get('*', 'Host: m.test'), badRequest],
  ['no version', 'GET /any\r\nHost: m.test\r\n\r\n', badRequest],
  ['another version', 'GET /any HTTP/2.0\r\nHost: m.test\r\n\r\n', badRequest],
  ['a method that is none', 'G@T /any HTTP/1.1\r\nHost: m.test\r\n\r\n', badRequest],
  ['an empty line in front', `\r\n${head}`, badRequest],
  ['a host with a user', get('/any', 'Host: user@m.test'), badHost],
  ['a host with a slash', get('/any', 'Host: m.test/a'), badHost],
  ['a host with a space', get('/any', 'hOST: m test'), badHost],
  ['a host with an escape', get('/any', 'Host: m%2etest'), badHost],
  ['two hosts', get('/any', 'Host: m.test', 'host: m.test'), refusal('400 Bad Request', '400 Bad Request: too many Host headers')],
  ['an unknown expectation', get('/any', 'Host: m.test', 'expect: 200-ok'), expectationFailed],
  ['lines that end with LF alone', 'GET /any/a b HTTP/1.1\nHost: m.test\n\n', badRequest],
  ['OPTIONS * with a body', 'OPTIONS * HTTP/1.1\r\nHost: m.test\r\nContent-Length: 2\r\n\r\nab', serverOptions.replace('\r\n', '\r\nConnection: close\r\n')],
  ['OPTIONS * in HTTP/1.0', 'OPTIONS * HTTP/1.0\r\n\r\n', serverOptions.replace('\r\n', '\r\nConnection: close\r\n')],
  ['a head that never ends', `GET /any HTTP/1.1\r\nX: ${'a'.repeat(130 * 1024)}`, 'HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n'],
];
for (const [name, request, answer] of refused) {
  test(`${name} is answered here, and the connection closed`, async () => {
    assert.equal(await exchange(request), answer);
    assert.equal(reached.length, 0, 'nothing of it reaches the server');
  });
}

for (const [name, request] of [
  ['a plain request', head],
  ['a path with odd characters', get("/%20/\xe4;a='%zz{}|\\^#", 'Host: m.test')],
  ['a port', get('/', 'Host: [::1]:80')],
  ['an empty host', get('/', 'Host:')],
  ['no host', get('/')],
  ['a whole URL', get('http://m.test/any', 'Host: m.test')],
  ['CONNECT', 'CONNECT m.test:443 HTTP/1.1\r\nHost: m.test:443\r\n\r\n'],
  ['HTTP/1.0', 'get / HTTP/1.0\n\n'],
  ['100-continue', get('/', 'Host: m_-.test', 'Expect: 100-Continue')],
  ['a folded field that looks like a host', get('/', 'X: a', ' Host: user@m.test', 'Host: m.test')],
  ['a head as large as workerd takes', get('/', 'Host: m.test', `X: ${'a'.repeat(120 * 1024)}`)],
]) {
  test(`${name} passes byte for byte, with what follows the head`, async () => {
    const all = `${request}body${get('/any/a b', 'Host: user@m.test')}`;
    const socket = await connect();
    socket.end(all, 'latin1');
    assert.equal(await everything(socket), all);
  });
}

test('OPTIONS * is about the server, and the next request of the connection is looked at again', async () => {
  const options = 'OPTIONS * HTTP/1.1\r\nHost: m.test\r\n\r\n';
  assert.equal(await exchange(options + options + get('/a b', 'Host: m.test')), serverOptions + serverOptions + badRequest);
  const socket = await connect();
  socket.end(options + head);
  assert.equal(await everything(socket), serverOptions + head);
});

test('a head may come byte by byte', async () => {
  for (const [request, answer] of [[head, head], [get('/a b', 'Host: m.test'), badRequest]]) {
    const socket = await connect();
    for (const byte of request) await new Promise((written) => socket.write(byte, written));
    if (answer === head) socket.end();
    assert.equal(await everything(socket), answer);
  }
});

test('who sends half a head is told so in time; who sends nothing is let go', async () => {
  const late = 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';
  for (const [request, answer] of [['GET /any HTTP/1.1\r\nHos', late], ['', '']]) {
    const started = performance.now();
    assert.equal(await exchange(request), answer);
    assert.ok(performance.now() - started > patience * 0.9, 'not before its time');
  }
  const socket = await connect();
  socket.end('GET /any');
  assert.equal(await everything(socket), '', 'who ends half-way has nobody to tell');
  assert.equal(reached.length, 0);
});

test('once a head is there, a connection may be silent for as long as it likes', async () => {
  const socket = await connect();
  socket.write(head);
  await once(socket, 'data');
  await new Promise((resolve) => setTimeout(resolve, patience * 2));
  socket.end('more');
  assert.equal(await everything(socket), 'more');
});

test('100 MB pass both ways at once', async () => {
  const socket = await connect();
  const [up, down] = [createHash('sha256'), createHash('sha256')];
  const send = (chunk) => up.update(chunk) && (socket.write(chunk) || once(socket, 'drain'));
  socket.on('data', (chunk) => down.update(chunk));
  await send(Buffer.from(head));
  for (let n = 0; n < 100; n++) await send(randomBytes(1 << 20));
  socket.end();
  await once(socket, 'end');
  assert.equal(down.digest('hex'), up.digest('hex'));
});

test('each direction ends by itself', async () => {
  behave = (socket) => {
    let text = '';
    socket.on('data', (chunk) => (text += chunk));
    socket.once('end', () => socket.end(`after the end: ${text.length}`));
  };
  const socket = await connect();
  socket.write(head);
  socket.end('body');
  assert.equal(await everything(socket), `after the end: ${head.length + 4}`);

  behave = (inner) => inner.once('data', () => inner.end('early'));
  const other = await connect();
  other.write(head);
  let answer = '';
  other.on('data', (chunk) => (answer += chunk));
  await once(other, 'end');
  assert.equal(answer, 'early');
  const received = once(reached[1], 'data');
  other.end('still sent');
  assert.equal((await received).toString(), 'still sent');
});

test('a reset on one side is a reset on the other', async () => {
  behave = () => {};
  const connected = async () => {
    const socket = await connect();
    const arrived = once(server, 'connection');
    socket.write(head);
    const [inner] = await arrived;
    await once(inner, 'data');
    return [socket, inner];
  };
  for (const side of [0, 1]) {
    const both = await connected();
    const broken = once(both[1 - side].resume(), 'error');
    both[side].resetAndDestroy();
    const [error] = await broken;
    assert.equal(error.code, 'ECONNRESET');
  }
});

test('a server that is not there is a reset', async () => {
  server.close();
  await once(server, 'close');
  const socket = await connect();
  const broken = once(socket.resume(), 'error');
  socket.write(head);
  const [error] = await broken;
  assert.equal(error.code, 'ECONNRESET');
});

test('an address in use is said to be', async () => {
  const port = Number(new URL(door.origin).port);
  await assert.rejects(openDoor({ listen: { host: '127.0.0.1', port }, port: 9 }), { code: 'EADDRINUSE' });
});

test('closing ends the connections that are there, and frees the port', async () => {
  const [idle, busy] = [await connect(), await connect()];
  busy.write(head);
  await once(busy, 'data');
  const ended = [idle, busy].map((socket) => once(socket.resume(), 'end'));
  await door.close();
  await Promise.all(ended);
  door = await openDoor({ listen: { host: '127.0.0.1', port: Number(new URL(door.origin).port) }, port: server.address().port });
});
