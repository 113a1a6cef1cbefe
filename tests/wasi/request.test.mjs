import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, beforeEach, test } from 'node:test';

import { startUpstream } from '../runtimes/upstream.mjs';
import { logged, policyFor, startGateway } from './gateway.mjs';

// What wasmtime makes of a request before the component sees it, and what becomes of that.

let upstream;
let gateway;

before(async () => {
  upstream = await startUpstream();
  gateway = await startGateway({ policy: policyFor({ upstream: upstream.origin }) });
});
after(async () => {
  await gateway?.stop();
  await upstream?.stop();
});
beforeEach(() => upstream.take());

/** Sends bytes as they are and gives the status of the answer. */
function status(text) {
  const { hostname, port } = new URL(gateway.origin);
  return new Promise((resolve, reject) => {
    const socket = net.connect(Number(port), hostname, () => socket.write(text, 'latin1'));
    let received = '';
    socket.setTimeout(10_000, () => socket.destroy(new Error('no answer')));
    socket.on('data', (chunk) => {
      received += chunk;
      const [, code] = /^HTTP\/1\.[01] (\d{3}) /.exec(received) ?? [];
      if (code === undefined) return;
      resolve(Number(code));
      socket.destroy();
    });
    socket.once('error', reject).once('close', () => reject(new Error(`closed after ${JSON.stringify(received)}`)));
  });
}

test('of two Host headers wasmtime shows the first: it decides, and nobody behind sees the second', async () => {
  assert.equal(await status('GET /x HTTP/1.1\r\nHost: open.test\r\nHost: page.test\r\n\r\n'), 200);
  const received = upstream.one();
  assert.equal(received.header('x-forwarded-host'), 'open.test');
  assert.ok(!JSON.stringify(received.headers).includes('page.test'));
  assert.equal(await status('GET /x HTTP/1.1\r\nHost: page.test\r\nHost: open.test\r\n\r\n'), 401);
  assert.deepEqual(upstream.take(), []);
});

test('the host of an absolute request target goes before Host (RFC 9112 section 3.2.2)', async () => {
  assert.equal(await status('GET http://page.test/x HTTP/1.1\r\nHost: open.test\r\n\r\n'), 401);
  assert.deepEqual(upstream.take(), []);
  assert.equal(await status('GET http://open.test/x?y HTTP/1.1\r\nHost: page.test\r\n\r\n'), 200);
  const received = upstream.one();
  assert.equal(received.target, '/x?y');
  assert.equal(received.header('x-forwarded-host'), 'open.test');
});

for (const [name, head, expected] of [
  ['a Host that reaches into the path', 'GET /admin HTTP/1.1\r\nHost: open.test/x', 400],
  ['a Host that reaches into the query', 'GET /admin HTTP/1.1\r\nHost: open.test?x=', 400],
  ['a Host with a fragment', 'GET /admin HTTP/1.1\r\nHost: open.test#', 400],
  ['a Host with a user', 'GET / HTTP/1.1\r\nHost: a@open.test', 400],
  ['an empty Host', 'GET / HTTP/1.1\r\nHost: ', 400],
  ['a Host that is not ASCII', 'GET / HTTP/1.1\r\nHost: \xf6pen.test', 500],
  ['no Host', 'GET / HTTP/1.1', 500],
  ['HTTP/1.0 without a Host', 'GET / HTTP/1.0', 500],
  ['OPTIONS *', 'OPTIONS * HTTP/1.1\r\nHost: open.test', 400],
  ['CONNECT', 'CONNECT open.test:443 HTTP/1.1\r\nHost: open.test:443', 405],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: open.test', 405],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: open.test', 400],
  ['a target of 70,000 characters', `GET /${'a'.repeat(70_000)} HTTP/1.1\r\nHost: open.test`, 414],
  ['150 headers', `GET / HTTP/1.1\r\nHost: open.test\r\n${'X: a\r\n'.repeat(149)}X: a`, 431],
  ['a length with a sign', 'POST / HTTP/1.1\r\nHost: open.test\r\nContent-Length: +3', 400],
  ['two lengths', 'POST / HTTP/1.1\r\nHost: open.test\r\nContent-Length: 3\r\nContent-Length: 4', 400],
  ['a header on two lines', 'GET / HTTP/1.1\r\nHost: open.test\r\nX: a\r\n b', 400],
  ['a space before the colon', 'POST / HTTP/1.1\r\nHost: open.test\r\nTransfer-Encoding : chunked', 400],
]) {
  test(`${name} is ${expected} and goes no further`, async () => {
    assert.equal(await status(`${head}\r\n\r\n`), expected);
    assert.deepEqual(upstream.take(), []);
  });
}

// Of such a request wasmtime shows the length and gives what is in the chunks (RFC 9112 section 6.3).
test('a body that is longer than its length is not passed on as two requests', async () => {
  const head = 'POST /echo HTTP/1.1\r\nHost: open.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked';
  assert.equal(await status(`${head}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`), 502);
  assert.deepEqual(upstream.take(), []);
  assert.equal(await status(`${head}\r\n\r\n3\r\nhey\r\n0\r\n\r\n`), 200);
  assert.equal(upstream.one().header('content-length'), '3');
});

test('a fragment is cut off by wasmtime, for the rules and for the upstream', async () => {
  assert.equal(await status('GET /x#/../admin HTTP/1.1\r\nHost: open.test\r\n\r\n'), 200);
  assert.equal(upstream.one().target, '/x');
});

test('headers that are larger than wasmtime passes on are 502 with a reason, not the end of an instance', async () => {
  for (const [size, expected] of [[10_000, 200], [200_000, 502]]) {
    const head = 'GET /status/200 HTTP/1.1\r\nHost: open.test\r\nX-Large: ';
    assert.equal(await status(`${head}${'a'.repeat(size)}\r\n\r\n`), expected);
  }
  await logged(gateway, /"msg":"headers".*127 KiB/);
  assert.doesNotMatch(gateway.log(), /exceeds limit/);
});

test('a method of one\'s own passes as it is, where a rule allows it', async () => {
  assert.equal(await status('FOO / HTTP/1.1\r\nHost: open.test\r\n\r\n'), 404);
  assert.deepEqual(upstream.take(), []);
});

test('a WebSocket is 426', async () => {
  const handshake = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  assert.equal(await status(`GET /ws HTTP/1.1\r\nHost: open.test\r\n${handshake}\r\n\r\n`), 426);
  assert.deepEqual(upstream.take(), []);
});
