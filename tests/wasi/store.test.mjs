import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { decodeProtectedHeader } from 'jose';

import { tokenOf } from '../runtimes/token.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';
import { startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import { logged, policyFor, session, startGateway } from './gateway.mjs';

// The store is a folder. When it fails, what needs no store goes on.

let upstream;
let standIn;
let policy;
let folder;

before(async () => {
  upstream = await startUpstream();
  standIn = await startWhoamiStandIn();
  policy = policyFor({ upstream: upstream.origin, whoami: standIn.origin });
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-tests-wasi-store-'));
});
after(async () => {
  await standIn?.stop();
  await upstream?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

async function withGateway(options, act) {
  const gateway = await startGateway({ policy, ...options });
  try {
    return await act(gateway);
  } finally {
    await gateway.stop();
  }
}

/** The key that signs for a session. */
async function kid(gateway) {
  upstream.take();
  const answer = await gateway.ask('http://token.test/', { headers: session });
  assert.equal(answer.status, 200, gateway.log());
  return decodeProtectedHeader(tokenOf(upstream.one())).kid;
}

/** Sessions are still checked, and no token is made: with a reason that says what to do, and without a trap. */
async function goesOnWithoutTokens(gateway, reason) {
  for (let n = 0; n < 2; n++) {
    assert.equal((await gateway.ask('http://open.test/')).status, 200);
    assert.equal((await gateway.ask('http://page.test/')).status, 401);
    assert.equal((await gateway.ask('http://page.test/', { headers: session })).status, 200);
    upstream.take();
    const answer = await gateway.ask('http://token.test/', { headers: session });
    assert.ok([500, 503].includes(answer.status), `${answer.status}`);
    assert.equal(answer.header('content-type'), 'application/json');
    assert.deepEqual(upstream.take(), [], 'nothing goes on without its token');
  }
  await logged(gateway, reason);
  assert.doesNotMatch(gateway.log(), /worker failed|trap/);
}

test('keys outlive a restart, and every new instance signs with the same', async () => {
  const state = join(folder, 'kept');
  const first = await withGateway({ state, reuse: 1 }, async (gateway) => {
    const kids = [await kid(gateway), await kid(gateway)];
    assert.equal(kids[0], kids[1]);
    return kids[0];
  });
  assert.equal(await withGateway({ state }, kid), first);
  const files = readdirSync(join(state, 'store/keys'));
  assert.equal(files.length, 1);
  assert.match(files[0], /^\d+$/, 'nothing half-written is left');
});

test('the proxy and the API listener are two processes with the same keys', async () => {
  await withGateway({ api: { host: '127.0.0.1', port: 0 } }, async (gateway) => {
    const signing = await kid(gateway);
    const answer = await fetch(`${gateway.apiOrigin}/.well-known/jwks.json`);
    assert.deepEqual((await answer.json()).keys.map((key) => key.kid), [signing]);
    assert.equal((await fetch(`${gateway.apiOrigin}/health/ready`)).status, 200);
  });
});

test('without a store there are sessions, and no tokens', async () => {
  await withGateway({ state: false }, (gateway) => goesOnWithoutTokens(gateway, /--dir FOLDER::\/state/));
});

test('a store that cannot be used as one is no reason to stop checking sessions', async () => {
  const state = join(folder, 'unusable');
  mkdirSync(join(state, 'store'), { recursive: true });
  for (const name of ['keys', 'sessions']) writeFileSync(join(state, 'store', name), 'a file where a folder must be');
  await withGateway({ state }, (gateway) => goesOnWithoutTokens(gateway, /may read and write/));
});

test('a store whose folder is taken away is 500 by wasmtime, which opens it for each instance, until it is back', async () => {
  const state = join(folder, 'taken-away');
  await withGateway({ state, reuse: 1 }, async (gateway) => {
    await kid(gateway);
    rmSync(join(state, 'store'), { recursive: true });
    assert.equal((await gateway.ask('http://open.test/')).status, 500);
    mkdirSync(join(state, 'store'));
    assert.equal((await gateway.ask('http://open.test/')).status, 200);
    await kid(gateway);
  });
});

// Both need a file system of their own, which only root may make, and not everywhere.
for (const [name, options] of [['full', 'size=4k,nr_inodes=3'], ['read-only', 'ro,size=64k']]) {
  test(`a ${name} disk is no reason either`, async (t) => {
    const state = join(folder, name);
    const store = join(state, 'store');
    mkdirSync(store, { recursive: true });
    const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', store]);
    if (status !== 0) return t.skip('nothing can be mounted here');
    try {
      if (name === 'full') writeFileSync(join(store, 'full'), Buffer.alloc(4096));
      await withGateway({ state, reuse: 1 }, (gateway) => goesOnWithoutTokens(gateway, /room on its disk/));
      assert.deepEqual(readdirSync(store).filter((file) => file.startsWith('.new')), [], 'nothing is left over');
    } finally {
      spawnSync('umount', [store]);
    }
  });
}

test('a key entry that is not one is named, and a session entry that is not one is passed over', async () => {
  const state = join(folder, 'spoilt');
  const period = await withGateway({ state, reuse: 1 }, async (gateway) => {
    await kid(gateway);
    return readdirSync(join(state, 'store/keys'))[0];
  });
  const sessions = join(state, 'store/sessions');
  const known = readdirSync(sessions);
  assert.ok(known.length > 0, 'what Kratos said is kept for other instances');
  for (const spoilt of ['', '{', 'x'.repeat(2 << 20)]) {
    for (const name of known) writeFileSync(join(sessions, name), spoilt);
    writeFileSync(join(state, 'store/keys', period), spoilt);
    await withGateway({ state, reuse: 1 }, async (gateway) => {
      await goesOnWithoutTokens(gateway, new RegExp(`keys/${period}`));
    });
  }
});

test('a secret that is missing, or another one, stops the tokens alone', async () => {
  const state = join(folder, 'secret');
  await withGateway({ state }, kid);
  await withGateway({ state, keysSecret: undefined }, (gateway) => goesOnWithoutTokens(gateway, /KEYS_SECRET/));
  const other = Buffer.alloc(32, 9).toString('base64');
  await withGateway({ state, keysSecret: other }, async (gateway) => {
    await goesOnWithoutTokens(gateway, /KEYS_SECRET/);
    assert.ok(!gateway.log().includes(other), 'a secret is in the log');
  });
});

test('no secret is on a command line', async () => {
  await withGateway({}, async (gateway) => {
    await kid(gateway);
    const { stdout } = spawnSync('ps', ['-eo', 'args', '-ww'], { encoding: 'utf8' });
    assert.match(stdout, /--env KEYS_SECRET /);
    assert.doesNotMatch(stdout, /KEYS_SECRET=/);
  });
});
