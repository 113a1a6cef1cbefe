// Keys as a deployment has them: none is made on first use. The first comes from `edgekeeper keys new`, the next from
// the schedule.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';

import { compilePolicy } from '../../scripts/gateway/policy.mjs';
import { startWorkerd } from '../../scripts/gateway/workerd.mjs';
import { send } from '../runtimes/client.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');
const keysSecret = 'a secret of this test, of at least thirty-two characters';
const hour = 3600;

let folder;
let policy;
let upstream;
before(async () => {
  upstream = await startUpstream();
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-keys-'));
  const write = (name, content) => writeFileSync(join(folder, name), JSON.stringify(content));
  write('oathkeeper.yml', {
    access_rules: { repositories: ['file://./access-rules.json'] },
    authenticators: { anonymous: { enabled: true, config: { subject: 'guest' } } },
    authorizers: { allow: { enabled: true } },
    mutators: {
      id_token: { enabled: true, config: { issuer_url: 'https://gateway.test/', jwks_url: 'file:///none', ttl: '5m' } },
    },
  });
  write('access-rules.json', [
    {
      id: 'web',
      match: { url: 'http://app.test/<.*>', methods: ['GET'] },
      authenticators: [{ handler: 'anonymous' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'id_token' }],
      upstream: { url: upstream.origin },
    },
  ]);
  write('edge.yml', { keys: { rotation: '1h', algorithm: 'ES256' } });
  policy = compilePolicy(command, { config: join(folder, 'oathkeeper.yml'), edge: join(folder, 'edge.yml') });
  writeFileSync(join(folder, 'policy.json'), policy);
});
after(async () => {
  await upstream?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** A gateway as it is deployed, and what it logs. */
async function deployed(context) {
  const log = new PassThrough();
  let text = '';
  log.on('data', (chunk) => (text += chunk));
  const gateway = await startWorkerd({
    bundle: join(root, 'build/cloudflare'),
    policy,
    keysSecret,
    listen: { host: '127.0.0.1', port: 0 },
    api: { host: '127.0.0.1', port: 0 },
    log,
  });
  context.after(() => gateway.stop());
  return { ...gateway, kv: await gateway.miniflare.getKVNamespace('KEYS', 'proxy'), log: () => text };
}

/** What `edgekeeper keys new` writes for `wrangler kv bulk put`. */
function newKey() {
  const out = join(folder, 'keys.json');
  const made = spawnSync(command, ['keys', 'new', '--policy', join(folder, 'policy.json'), '--out', out], {
    env: { ...process.env, KEYS_SECRET: keysSecret },
    encoding: 'utf8',
  });
  assert.equal(made.status, 0, made.stderr);
  return JSON.parse(readFileSync(out, 'utf8'));
}

/** The store as `npx wrangler kv bulk get` prints it. */
async function fetched(gateway) {
  const entries = {};
  for (const { name } of (await gateway.kv.list()).keys) entries[name] = { value: await gateway.kv.get(name) };
  const file = join(folder, 'entries.json');
  writeFileSync(file, `${JSON.stringify(entries, null, 2)}\n\nSuccess!\n`);
  return file;
}

function keys(name, ...args) {
  const done = spawnSync(command, ['keys', name, '--policy', join(folder, 'policy.json'), ...args], {
    env: { ...process.env, KEYS_SECRET: keysSecret },
    encoding: 'utf8',
  });
  assert.equal(done.status, 0, done.stderr);
  return done.stdout;
}

const ask = (gateway) => send(gateway.origin, 'http://app.test/');

test('without a key no token is made, and the log says what to do', async (context) => {
  const gateway = await deployed(context);
  const answer = await ask(gateway);
  assert.equal(answer.status, 503);
  assert.equal(answer.json().error.message, 'The token could not be signed; please try again');
  assert.match(gateway.log(), /there is no signing key in the key-value store; run `edgekeeper keys new`/);
  assert.deepEqual(upstream.take(), []);
  assert.deepEqual((await gateway.kv.list()).keys, [], 'nothing was made by itself');
  const published = await send(gateway.apiOrigin, 'http://api.test/.well-known/jwks.json');
  assert.deepEqual(published.json(), { keys: [] });
  assert.equal(published.header('cache-control'), 'no-store', 'nobody is to remember that');
});

test('the key of `edgekeeper keys new` signs as soon as it is in the store', async (context) => {
  const gateway = await deployed(context);
  assert.equal((await ask(gateway)).status, 503);
  upstream.take();
  for (const { key, value } of newKey()) await gateway.kv.put(key, value);
  assert.equal((await ask(gateway)).status, 200);
  const token = upstream.one().header('authorization').replace('Bearer ', '');
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', gateway.apiOrigin));
  const { payload } = await jwtVerify(token, keys, { issuer: 'https://gateway.test/', algorithms: ['ES256'] });
  assert.equal(payload.sub, 'guest');
  assert.equal(payload.exp - payload.iat, 300);
});

test('the schedule makes the key that is due, publishes it before it signs, and makes it once', async (context) => {
  const gateway = await deployed(context);
  const worker = await gateway.miniflare.getWorker('proxy');
  await worker.scheduled();
  const first = (await gateway.kv.list()).keys.map(({ name }) => name);
  const period = Math.floor(Date.now() / 1000 / hour);
  assert.deepEqual(first, [`keys/${period}`], 'the first is for this period');
  await worker.scheduled();
  await worker.scheduled();
  const all = (await gateway.kv.list()).keys.map(({ name }) => name);
  const half = (Date.now() / 1000) % hour >= hour / 2;
  assert.deepEqual(all, half ? [`keys/${period}`, `keys/${period + 1}`] : [`keys/${period}`]);
  const { keys } = (await send(gateway.apiOrigin, 'http://api.test/.well-known/jwks.json')).json();
  assert.equal(keys.length, all.length);
  assert.ok(keys.every((key) => key.d === undefined && key.use === 'sig'));
  assert.equal((await ask(gateway)).status, 200);
  const signed = decodeProtectedHeader(upstream.one().header('authorization').replace('Bearer ', ''));
  assert.equal(signed.kid, keys[0].kid, 'the key of this period signs, not the next');
});

test('a key that is retired at once neither signs nor is published within a minute', async (context) => {
  const gateway = await deployed(context);
  for (const { key, value } of newKey()) await gateway.kv.put(key, value);
  const kid = async () => {
    assert.equal((await ask(gateway)).status, 200);
    return decodeProtectedHeader(upstream.one().header('authorization').replace('Bearer ', '')).kid;
  };
  const isPublished = async (id) => {
    const { keys: published } = (await send(gateway.apiOrigin, 'http://api.test/.well-known/jwks.json')).json();
    return published.some((key) => key.kid === id);
  };
  const old = await kid();
  assert.equal(await isPublished(old), true);
  const from = await fetched(gateway);
  assert.match(keys('list', '--from', from), new RegExp(`signing +ES256 +${old}`));
  const out = join(folder, 'retired.json');
  assert.match(keys('retire', '--now', '--from', from, '--out', out, '--', old), /Put it there now/);
  const started = performance.now();
  for (const { key, value } of JSON.parse(readFileSync(out, 'utf8'))) await gateway.kv.put(key, value);
  while ((await kid()) === old || (await isPublished(old))) {
    assert.ok(performance.now() - started < 60_000, 'it is still there after a minute');
    await sleep(250);
  }
  context.diagnostic(`it was gone after ${((performance.now() - started) / 1000).toFixed(1)} s`);
  const next = await kid();
  assert.equal(await isPublished(next), true);
  assert.match(keys('list', '--from', await fetched(gateway)), new RegExp(`signing +ES256 +${next} +now`));
});
