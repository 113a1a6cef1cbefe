import assert from 'node:assert/strict';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { decodeProtectedHeader } from 'jose';

import { startWorkerd } from '../../scripts/gateway/workerd.mjs';
import { damagedKeys, secretsOf } from '../faults/damage.mjs';
import { send } from '../runtimes/client.mjs';
import { tokenOf } from '../runtimes/token.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';
import { startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import { logged, policyFor, secret, session } from '../wasi/gateway.mjs';

// Entries of Workers KV that are not what the gateway wrote.

const bundle = fileURLToPath(new URL('../../build/cloudflare', import.meta.url));

let upstream;
let standIn;
let policy;

before(async () => {
  upstream = await startUpstream();
  standIn = await startWhoamiStandIn();
  policy = policyFor({ upstream: upstream.origin, whoami: standIn.origin });
});
after(async () => {
  await standIn?.stop();
  await upstream?.stop();
});

/** Runs a Worker that has read nothing yet, on a store with these entries. */
async function withWorker(entries, act) {
  const log = new PassThrough();
  let text = '';
  log.on('data', (chunk) => (text += chunk));
  const listen = { host: '127.0.0.1', port: 0 };
  const gateway = await startWorkerd({ bundle, policy, keysSecret: secret, entries, listen, api: listen, log });
  try {
    const kv = await gateway.miniflare.getKVNamespace('KEYS', 'proxy');
    const ask = (url) => send(gateway.origin, url, { headers: session });
    await act({ ...gateway, kv, ask, log: () => text });
    for (const each of [...entries.flatMap(({ value }) => secretsOf(value)), secret, session['x-session-token']]) {
      assert.ok(!text.includes(each), 'a secret is in the log');
    }
  } finally {
    await gateway.stop();
  }
}

async function kid(gateway) {
  upstream.take();
  const answer = await gateway.ask('http://token.test/');
  assert.equal(answer.status, 200, answer.text);
  return decodeProtectedHeader(tokenOf(upstream.one())).kid;
}

/** The names of the keys that are published, none of which is there with its private half. */
async function published(gateway) {
  const answer = await fetch(`${gateway.apiOrigin}/.well-known/jwks.json`);
  const { keys = [] } = await answer.json();
  for (const key of keys) assert.equal(key.d, undefined);
  return keys.map((key) => key.kid);
}

test('an entry that is not the key signs nothing, is not published, is named in the log, and stays as it is', async () => {
  let own;
  let entry;
  let key;
  await withWorker([], async (gateway) => {
    own = await kid(gateway);
    [{ name: key }] = (await gateway.kv.list({ prefix: 'keys/' })).keys;
    entry = await gateway.kv.get(key);
  });
  for (const [what, value] of Object.entries({ ...damagedKeys(entry), '2 MB': 'x'.repeat(2 << 20) })) {
    await withWorker([{ key, value }], async (gateway) => {
      upstream.take();
      const answer = await gateway.ask('http://token.test/');
      assert.equal(answer.status, 503, what);
      assert.match(answer.header('retry-after'), /^\d+$/, what);
      assert.deepEqual(upstream.take(), [], `${what}: nothing goes on without its token`);
      assert.equal((await gateway.ask('http://page.test/')).status, 200, what);
      assert.deepEqual((await published(gateway)).filter((each) => each !== own), [], what);
      await logged(gateway, new RegExp(key));
      assert.equal(await gateway.kv.get(key), value, `${what}: it is not overwritten`);
    });
  }
  await withWorker([{ key, value: entry }], async (gateway) => {
    assert.equal(await kid(gateway), own, 'with the entry back all is well');
    assert.deepEqual(await published(gateway), [own]);
  });
});
