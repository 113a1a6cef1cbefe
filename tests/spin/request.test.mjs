import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { startUpstream } from '../runtimes/upstream.mjs';
import { policyFor } from '../wasi/gateway.mjs';
import { startGateway } from './gateway.mjs';

// What Spin adds to a request, and a client could pretend.

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

const forged = {
  'spin-full-url': 'http://open.test/forged',
  'spin-path-info': '/forged',
  'spin-matched-route': '/forged',
  'spin-client-addr': '203.0.113.7:1',
  'spin-anything': 'forged',
};

test('what a client says in headers of Spin changes no decision', async () => {
  assert.equal((await gateway.ask('http://page.test/x', { headers: forged })).status, 401);
  assert.equal((await gateway.ask('http://nobody.test/x', { headers: forged })).status, 404);
  assert.deepEqual(upstream.take(), []);
});

test('no header of Spin reaches the upstream, neither its own nor a forged one', async () => {
  assert.equal((await gateway.ask('http://open.test/x?y', { headers: forged })).status, 200);
  const received = upstream.one();
  assert.equal(received.target, '/x?y');
  assert.deepEqual(
    received.headers.filter(([name]) => name.toLowerCase().startsWith('spin-')),
    [],
  );
  assert.ok(!JSON.stringify(received.headers).includes('forged'));
});

test('the upstream sees its own host, and the public one in X-Forwarded-Host', async () => {
  await gateway.ask('http://open.test/x');
  const received = upstream.one();
  assert.equal(received.header('host'), new URL(upstream.origin).host);
  assert.equal(received.header('x-forwarded-host'), 'open.test');
});

test('a request without a body has none at the upstream, and one with a length keeps it', async () => {
  for (const method of ['GET', 'DELETE']) {
    await gateway.ask('http://open.test/x', { method });
    const received = upstream.one();
    assert.equal(received.header('transfer-encoding'), undefined, method);
    assert.ok([undefined, '0'].includes(received.header('content-length')), method);
  }
  const answer = await gateway.ask('http://open.test/x', { method: 'POST', body: 'twelve bytes' });
  assert.equal(answer.text, 'twelve bytes');
  assert.equal(upstream.one().header('content-length'), '12');
});

test('headers of more than Spin passes on are 502, and the instance lives', async () => {
  const headers = Object.fromEntries(Array.from({ length: 90 }, (_, n) => [`x-large-${n}`, 'x'.repeat(1500)]));
  const answer = await gateway.ask('http://open.test/x', { headers });
  assert.ok([431, 502].includes(answer.status), `${answer.status}`);
  assert.deepEqual(upstream.take(), []);
  assert.equal((await gateway.ask('http://open.test/x')).status, 200);
  assert.doesNotMatch(gateway.log(), /trap:|wasm backtrace/);
});
