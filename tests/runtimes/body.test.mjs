import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http from 'node:http';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { answerTo, openRequest } from './client.mjs';
import { residentBytes } from './memory.mjs';
import { open, rule, startSite } from './site.mjs';

// A body that a service is shown before it goes on: the upstream gets what was judged, nothing more and nothing less.

const MB = 1 << 20;
/** The largest body that a service can be shown. */
const largest = 8 * MB;

let site;
let service;

before(async () => {
  service = await startService();
  site = await startSite({
    rules: [
      rule('open', open),
      rule('asks', { ...open, authorizer: { handler: 'remote' } }),
      rule('unjudged', { ...open, authorizer: { handler: 'remote', config: { remote: 'http://127.0.0.1:9/' } } }),
    ],
    authorizers: { remote: { enabled: true, config: { remote: `${service.origin}/judge` } } },
  });
});
after(async () => {
  assert.doesNotMatch(site?.log() ?? '', /worker failed|panicked|trap/);
  await site?.stop();
  await service?.stop();
});

/** Starts a service that writes down every body it is shown whole, and refuses those that say `evil`. */
async function startService() {
  const seen = [];
  const server = http.createServer(async (request, response) => {
    if (running.withoutReading !== undefined) return response.writeHead(running.withoutReading).end();
    try {
      const body = Buffer.concat(await request.toArray());
      seen.push({ method: request.method, headers: request.headers, body });
      response.writeHead(body.includes('evil') ? 403 : 200).end();
    } catch {
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running = {
    origin: `http://127.0.0.1:${server.address().port}`,
    /** A status it answers at once, whatever it is shown. */
    withoutReading: undefined,
    /** What it has been shown since the last call. */
    take: () => seen.splice(0),
    async stop() {
      server.closeAllConnections();
      server.close();
    },
  };
  return running;
}

/** Sends a request to the rule that asks the service. */
function ask(more) {
  service.take();
  site.upstream.take();
  return site.ask('http://asks.test/a?b', more);
}

/** Begins one whose body the test writes itself. */
function begin(headers = {}) {
  service.take();
  site.upstream.take();
  const request = openRequest(site.origin, 'http://asks.test/a?b', { method: 'POST', headers });
  return { request, answered: answerTo(request).then(async (response) => ({ status: response.statusCode, body: Buffer.concat(await response.toArray()) })) };
}

/** That the service and the upstream, which sends it back, were sent this body, with its length said once. */
function assertBothGot(answer, body, method = 'POST') {
  assert.equal(answer.status, 200, method);
  const [judged, ...more] = service.take();
  assert.deepEqual(more, [], 'it is asked once');
  assert.equal(judged.method, 'POST');
  assert.ok(judged.body.equals(body), `the service got ${judged.body.length} bytes for ${body.length}`);
  assert.equal(judged.headers['content-length'], String(body.length));
  assert.equal(judged.headers['transfer-encoding'], undefined);
  const received = site.upstream.one();
  assert.equal(received.method, method);
  assert.equal(received.target, '/a?b');
  assert.ok(answer.body.equals(body), `the upstream got ${answer.body.length} bytes for ${body.length}`);
  assert.equal(received.header('content-length'), String(body.length));
  assert.equal(received.header('transfer-encoding'), undefined);
}

/** That neither of them was sent anything. */
function assertNobodyGotAny() {
  assert.deepEqual([service.take().length, site.upstream.take().length], [0, 0]);
}

const bodies = {
  'no bytes': Buffer.alloc(0),
  'one byte': Buffer.from('x'),
  'every byte there is': Buffer.from(Array.from({ length: 256 }, (_, n) => n)),
  '100 KB': randomBytes(100_000),
  '1 MB': randomBytes(MB),
  'as much as is allowed': randomBytes(largest),
};

for (const [name, body] of Object.entries(bodies)) {
  test(`the service and the upstream get the same body: ${name}`, async () => {
    for (const method of ['POST', 'PUT', 'PATCH']) {
      const answer = await ask({ method, body, headers: { 'content-type': 'application/x-test', 'content-length': String(body.length) } });
      assert.equal(answer.header('content-type'), 'application/x-test');
      assertBothGot(answer, body, method);
    }
  });

  test(`the service and the upstream get the same body, sent in chunks: ${name}`, async () => {
    const { request, answered } = begin({ 'transfer-encoding': 'chunked' });
    for (let at = 0; at < body.length; at += 70_000) {
      if (!request.write(body.subarray(at, at + 70_000))) await once(request, 'drain');
    }
    request.end();
    assertBothGot(await answered, body);
  });
}

test('a body that the service refuses goes no further', async () => {
  for (const body of ['evil', Buffer.concat([randomBytes(MB), Buffer.from('evil')])]) {
    assert.equal((await ask({ method: 'POST', body })).status, 403);
    assert.deepEqual([service.take().length, site.upstream.take()], [1, []]);
  }
  const { request, answered } = begin();
  request.write('ev');
  request.end('il');
  assert.equal((await answered).status, 403);
  assert.deepEqual(site.upstream.take(), []);
});

test('a request without a body has none for the service and none for the upstream', async () => {
  for (const method of ['GET', 'HEAD', 'DELETE']) {
    const answer = await ask({ method });
    assert.deepEqual([answer.status, answer.text], [200, ''], method);
    const [judged] = service.take();
    assert.equal(judged.body.length, 0, method);
    const received = site.upstream.one();
    assert.equal(received.method, method);
    assert.equal(received.header('transfer-encoding'), undefined, method);
    assert.ok([undefined, '0'].includes(received.header('content-length')), method);
  }
});

test('the body of a GET is judged like any other; the upstream gets it whole or not at all', async () => {
  const answer = await ask({ body: 'asks for', headers: { 'content-length': '8' } });
  assert.equal(answer.status, 200);
  assert.equal(service.take()[0].body.toString(), 'asks for');
  assert.ok(['', 'asks for'].includes(answer.text), answer.text);
  assert.equal(Number(site.upstream.one().header('content-length') ?? 0), answer.body.length);
  assert.equal((await ask({ body: 'is evil', headers: { 'content-length': '7' } })).status, 403);
});

test('a client that would like to hear 100 Continue is served, whether or not it hears it', async () => {
  const { request, answered } = begin({ expect: '100-continue', 'content-length': '4' });
  request.flushHeaders();
  // workerd says nothing; a client does not wait for ever (RFC 9110 section 10.1.1).
  await Promise.race([once(request, 'continue'), sleep(1000)]);
  request.end('body');
  assertBothGot(await answered, Buffer.from('body'));
});

test('one byte more than is allowed is 413, and nobody is shown any of it', async () => {
  const body = Buffer.alloc(largest + 1, 'x');
  for (const headers of [{ 'content-length': String(body.length) }, { 'transfer-encoding': 'chunked' }]) {
    const answer = await ask({ method: 'POST', body, headers });
    assert.equal(answer.status, 413);
    assert.equal(answer.json().error.code, 413);
    assertNobodyGotAny();
  }
});

test('a body without an end is 413 as soon as it is too large', async () => {
  const { request, answered } = begin();
  request.on('error', () => {});
  let status;
  // Whoever goes on sending behind the answer can see the connection close before it sees the answer.
  const told = answered.then((answer) => (status = answer.status), () => (status = 'broken'));
  const chunk = Buffer.alloc(64 * 1024, 'x');
  while (status === undefined) {
    if (!request.write(chunk)) await Promise.race([once(request, 'drain').catch(() => {}), told]);
    await new Promise(setImmediate);
  }
  assert.ok([413, 'broken'].includes(status), String(status));
  request.destroy();
  assertNobodyGotAny();
});

test('a body that breaks off reaches nobody', async () => {
  service.take();
  site.upstream.take();
  const { hostname, port } = new URL(site.origin);
  for (const head of ['Content-Length: 100\r\n\r\nhalf', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n']) {
    for (const leave of ['destroy', 'end', 'resetAndDestroy']) {
      const socket = net.connect(Number(port), hostname);
      socket.on('error', () => {});
      await once(socket, 'connect');
      socket.write(`POST / HTTP/1.1\r\nHost: asks.test\r\n${head}`, () => socket[leave]());
      socket.resume();
      await once(socket, 'close');
    }
  }
  // One of them that has gone on has done so before this one.
  assertBothGot(await site.ask('http://asks.test/a?b', { method: 'POST', body: 'whole' }), Buffer.from('whole'));
});

test('a body that comes slowly is waited for, and others are served meanwhile', async () => {
  const slow = begin();
  slow.request.write('begun, ');
  assertBothGot(await ask({ method: 'POST', body: 'between' }), Buffer.from('between'));
  slow.request.end('ended');
  assertBothGot(await slow.answered, Buffer.from('begun, ended'));
});

test('a service that answers before it has read is heard, and one that is away lets nobody in', async () => {
  for (const status of [403, 200]) {
    service.withoutReading = status;
    const body = randomBytes(100_000);
    const answer = await ask({ method: 'POST', body });
    assert.equal(answer.status, status);
    if (status === 200) assert.ok(answer.body.equals(body));
  }
  service.withoutReading = undefined;
  site.upstream.take();
  const answer = await site.ask('http://unjudged.test/', { method: 'POST', body: randomBytes(100_000) });
  assert.ok(answer.status >= 500, String(answer.status));
  assert.deepEqual(site.upstream.take(), []);
  assertBothGot(await ask({ method: 'POST', body: 'again' }), Buffer.from('again'));
});

test('a body that nobody is shown may be as large as it likes', async () => {
  const body = randomBytes(largest + MB);
  const answer = await site.ask('http://open.test/', { method: 'POST', body });
  assert.equal(answer.status, 200);
  assert.ok(answer.body.equals(body));
});

test('ten bodies at once do not mix, and what they took is used again', async (t) => {
  const round = () =>
    Promise.all(
      Array.from({ length: 10 }, async (_, n) => {
        const body = Buffer.alloc(MB, String(n));
        const answer = await site.ask('http://asks.test/', { method: 'POST', body });
        assert.equal(answer.status, 200);
        assert.ok(answer.body.equals(body), 'the upstream got another');
      }),
    );
  await round();
  const before = residentBytes(site.gateway.pid);
  service.take();
  for (let n = 0; n < 8; n++) await round();
  const shown = service.take().map(({ body }) => body);
  assert.equal(shown.length, 80);
  for (const body of shown) assert.ok(body.equals(Buffer.alloc(MB, body.subarray(0, 1))), 'a mixture was shown');
  const grown = (residentBytes(site.gateway.pid) - before) / MB;
  t.diagnostic(`80 bodies of 1 MB after the first ten: memory grew by ${grown.toFixed(1)} MB`);
  assert.ok(grown < 128, `it grew by ${grown.toFixed(1)} MB`);
});
