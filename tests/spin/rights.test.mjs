import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { startUpstream } from '../runtimes/upstream.mjs';
import { logged, policyFor, reasons, session } from '../wasi/gateway.mjs';
import { startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import { application, reaching, startGateway } from './gateway.mjs';

// What the component asks of Spin and the manifest does not give: a defined answer, no trap, and a line in the log that
// says what to write where.

let upstream;
let whoami;
let policy;
let running;

before(async () => {
  upstream = await startUpstream();
  whoami = await startWhoamiStandIn();
  policy = policyFor({ upstream: upstream.origin, whoami: whoami.origin });
});
after(async () => {
  await upstream?.stop();
  await whoami?.stop();
});
beforeEach(() => upstream.take());
afterEach(async () => {
  await running?.gateway?.stop();
  running?.remove();
  running = undefined;
});

async function start(change, options = {}) {
  const { from, remove } = application(policy, change);
  running = { remove };
  running.gateway = await startGateway({ from, ...options });
  return running.gateway;
}

const noTrap = (gateway) => assert.doesNotMatch(gateway.log(), /trap:|worker failed|wasm backtrace/);

test('an upstream that is not allowed is 502, and nothing is sent', async () => {
  const gateway = await start(reaching(whoami.origin));
  const answer = await gateway.ask('http://open.test/secret-path?q=1');
  assert.equal(answer.status, 502);
  assert.deepEqual(upstream.take(), []);
  await logged(gateway, /"msg":"fetch"/);
  const [reason] = reasons(gateway, 'fetch');
  assert.match(reason, /`allowed_outbound_hosts` of spin\.toml.*`edgekeeper build --spin-manifest spin\.toml`/);
  assert.ok(reason.includes(new URL(upstream.origin).host) && !reason.includes('secret-path'), reason);
  noTrap(gateway);
});

test('Kratos that is not allowed is 503 for who needs it, and nobody gets past', async () => {
  const gateway = await start(reaching(upstream.origin));
  assert.equal((await gateway.ask('http://page.test/', { headers: session })).status, 503);
  assert.deepEqual(upstream.take(), []);
  assert.equal((await gateway.ask('http://open.test/')).status, 200, 'who needs no session is served');
  await logged(gateway, new RegExp(`reach ${new URL(whoami.origin).host}`));
  noTrap(gateway);
});

test('without a key-value store sessions are asked of Kratos, and no token is made', async () => {
  const without = (manifest) =>
    reaching(upstream.origin, whoami.origin)(manifest).replace('key_value_stores = ["default"]\n', '');
  const gateway = await start(without);
  assert.equal((await gateway.ask('http://open.test/')).status, 200);
  assert.equal((await gateway.ask('http://page.test/', { headers: session })).status, 200);
  upstream.take();
  const answer = await gateway.ask('http://token.test/', { headers: session });
  assert.ok(answer.status >= 500, `${answer.status}`);
  assert.deepEqual(upstream.take(), []);
  await logged(gateway, /write `key_value_stores = \[\\"default\\"\]` under it in spin\.toml/);
  noTrap(gateway);
});

test('without the secret no token is made', async () => {
  const without = (manifest) =>
    reaching(upstream.origin, whoami.origin)(manifest).replace('keys_secret = "{{ keys_secret }}"\n', '');
  const gateway = await start(without);
  assert.equal((await gateway.ask('http://page.test/', { headers: session })).status, 200);
  upstream.take();
  const answer = await gateway.ask('http://token.test/', { headers: session });
  assert.ok(answer.status >= 500, `${answer.status}`);
  assert.deepEqual(upstream.take(), []);
  noTrap(gateway);
});

test('Spin does not start without the secret that the manifest asks for', async () => {
  const { from, remove } = application(policy, reaching(upstream.origin));
  let printed = '';
  const log = { write: (chunk) => (printed += chunk) };
  await assert.rejects(startGateway({ from, keysSecret: undefined, log }), /ended with status/);
  remove();
  assert.match(printed, /keys_secret/);
});
