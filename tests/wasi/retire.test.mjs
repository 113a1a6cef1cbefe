import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { decodeProtectedHeader } from 'jose';

import { fetchKeys, tokenOf } from '../runtimes/token.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';
import { startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import { policyFor, secret, session, startGateway } from './gateway.mjs';

// A key that goes before its time, taken out of the folder while the gateway runs.

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');

let upstream;
let standIn;
let folder;
let gateway;

before(async () => {
  upstream = await startUpstream();
  standIn = await startWhoamiStandIn();
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-tests-wasi-retire-'));
  const policy = JSON.parse(policyFor({ upstream: upstream.origin, whoami: standIn.origin }));
  // Periods of ten minutes instead of an hour: everything takes a sixth of its time.
  policy.keys.rotation = 600;
  writeFileSync(join(folder, 'policy.json'), JSON.stringify(policy));
  mkdirSync(join(folder, 'state'));
  gateway = await startGateway({ policy: JSON.stringify(policy), state: join(folder, 'state') });
});
after(async () => {
  await gateway?.stop();
  await standIn?.stop();
  await upstream?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

function keys(...args) {
  const where = ['--policy', join(folder, 'policy.json'), '--state', join(folder, 'state/store')];
  const done = spawnSync(command, ['keys', args[0], ...where, ...args.slice(1)], {
    env: { ...process.env, KEYS_SECRET: secret },
    encoding: 'utf8',
  });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

async function kid() {
  upstream.take();
  const answer = await gateway.ask('http://token.test/', { headers: session });
  assert.equal(answer.status, 200, gateway.log());
  return decodeProtectedHeader(tokenOf(upstream.one())).kid;
}

const isPublished = async (id) => (await fetchKeys(gateway.origin)).keys.some((key) => key.kid === id);

test('`keys retire` takes a key out of the folder of a gateway that runs, gently or at once', async (context) => {
  const old = await kid();
  assert.match(keys('list'), new RegExp(`signing +EdDSA +${old}`));
  assert.match(keys('retire', '--', old), /signs from 20/);
  assert.match(keys('list'), new RegExp(`signing +EdDSA +${old}`));
  await sleep(6_000);
  assert.equal(await kid(), old, 'verifiers may not have the new one');
  assert.equal(await isPublished(old), true);

  keys('retire', '--now', '--', old);
  const started = performance.now();
  while ((await kid()) === old || (await isPublished(old))) {
    assert.ok(performance.now() - started < 10_000, 'it is still there after a sixth of a minute');
    await sleep(100);
  }
  context.diagnostic(`it was gone after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  assert.doesNotMatch(keys('list'), new RegExp(old));
});
