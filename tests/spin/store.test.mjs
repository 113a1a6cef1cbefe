import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { installedSpin } from '../../scripts/gateway/spin.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';
import { startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import { logged, policyFor, session } from '../wasi/gateway.mjs';
import { application, reaching, startGateway } from './gateway.mjs';

// A key-value store that does not do what it should: nobody who has a session is refused for it, and no token is made
// with a key that could not be kept.

// Only the stand-in has stores that fail when they are told to.
const skip = installedSpin() === 'spin' ? 'the real Spin has no store that fails on demand' : false;

let folder;
let upstream;
let whoami;
let policy;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-spin-store-'));
  upstream = await startUpstream();
  whoami = await startWhoamiStandIn();
  policy = policyFor({ upstream: upstream.origin, whoami: whoami.origin });
});
after(async () => {
  await upstream?.stop();
  await whoami?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the gateway with a store of this kind. */
async function withStore(store, act) {
  const runtimeConfigFile = join(folder, 'runtime-config.toml');
  writeFileSync(runtimeConfigFile, `[key_value_store.default]\n${store}\n`);
  const { from, remove } = application(policy, reaching(upstream.origin, whoami.origin));
  try {
    const gateway = await startGateway({ from, runtimeConfigFile });
    try {
      await act(gateway);
      assert.doesNotMatch(gateway.log(), /trap:/);
    } finally {
      await gateway.stop();
    }
  } finally {
    remove();
  }
}

for (const [name, store] of [
  ['fails', () => 'type = "failing"'],
  ['is full', () => `type = "full"\npath = "${join(folder, 'full.db')}"`],
]) {
  test(`while the store ${name} sessions are asked of Kratos, and a token is 503`, { skip }, async () => {
    await withStore(store(), async (gateway) => {
      for (let n = 0; n < 3; n++) {
        assert.equal((await gateway.ask('http://page.test/', { headers: session })).status, 200);
        assert.equal((await gateway.ask('http://open.test/')).status, 200);
      }
      upstream.take();
      const answer = await gateway.ask('http://token.test/', { headers: session });
      assert.equal(answer.status, 503);
      assert.match(answer.header('retry-after'), /^\d+$/);
      assert.deepEqual(upstream.take(), []);
      await logged(gateway, /"msg":"sessions".*the key-value store `default` failed/);
    });
  });
}

test('a slow store is waited for', { skip }, async () => {
  await withStore(`type = "slow"\ndelay_ms = 20\npath = "${join(folder, 'slow.db')}"`, async (gateway) => {
    const asked = whoami.asked;
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => gateway.ask('http://token.test/', { headers: { 'x-session-token': 'ory_st_slow' } })),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
    assert.ok(whoami.asked - asked <= 8, `Kratos was asked ${whoami.asked - asked} times`);
  });
});
