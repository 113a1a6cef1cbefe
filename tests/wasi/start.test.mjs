import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startGateway } from './gateway.mjs';

// wasmtime begins and ends with whoever starts it.

const helper = fileURLToPath(new URL('gateway.mjs', import.meta.url));

/** What a request to an address that should be dead comes to. */
async function outcome(origin) {
  return fetch(origin).then(
    ({ status }) => status,
    ({ cause }) => cause.code,
  );
}

test('it listens when it says so, and a second start takes little', async () => {
  await (await startGateway({})).stop();
  const started = Date.now();
  const gateway = await startGateway({});
  assert.ok(Date.now() - started < 2000, 'what was compiled is kept');
  assert.equal(await outcome(gateway.origin), 503);
  await gateway.stop();
});

test('stopping takes less than a second, whoever is connected', async () => {
  const gateway = await startGateway({});
  await fetch(gateway.origin);
  const started = Date.now();
  await gateway.stop();
  await gateway.ended;
  assert.ok(Date.now() - started < 1500);
  assert.equal(await outcome(gateway.origin), 'ECONNREFUSED');
});

test('an address in use is said to be, and nothing is left running', async () => {
  const gateway = await startGateway({});
  try {
    const port = Number(new URL(gateway.origin).port);
    await assert.rejects(startGateway({ listen: { host: '127.0.0.1', port } }), { code: 'ERR_ADDRESS_IN_USE' });
    assert.equal(await outcome(gateway.origin), 503, 'the first one goes on');
  } finally {
    await gateway.stop();
  }
});

test('it ends when whoever started it is killed', async () => {
  const script = `const { startGateway } = await import(${JSON.stringify(helper)});
    console.log((await startGateway({})).origin);
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 2] });
  const [line] = await once(parent.stdout, 'data');
  const origin = line.toString().trim();
  assert.equal(await outcome(origin), 503);
  parent.kill('SIGKILL');
  for (let n = 0; n < 100 && (await outcome(origin)) !== 'ECONNREFUSED'; n++) await sleep(20);
  assert.equal(await outcome(origin), 'ECONNREFUSED');
});
