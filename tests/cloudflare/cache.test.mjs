// Cloudflare's cache as the second tier: what is in it, and what it is worth when it is damaged.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { compilePolicy } from '../../scripts/gateway/policy.mjs';
import { startWorkerd } from '../../scripts/gateway/workerd.mjs';
import { send } from '../runtimes/client.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';
import { startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');
const keysSecret = 'a secret of this test, of at least thirty-two characters';
const session = { 'x-session-token': 'ory_st_ada' };

let folder;
let policy;
let upstream;
let standIn;
before(async () => {
  upstream = await startUpstream();
  standIn = await startWhoamiStandIn();
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-cache-'));
  const write = (name, content) => writeFileSync(join(folder, name), JSON.stringify(content));
  write('oathkeeper.yml', {
    access_rules: { repositories: ['file://./access-rules.json'] },
    authenticators: { cookie_session: { enabled: true, config: { check_session_url: `${standIn.origin}/sessions/whoami` } } },
    authorizers: { allow: { enabled: true } },
    mutators: { noop: { enabled: true } },
  });
  write('access-rules.json', [
    {
      id: 'web',
      match: { url: 'http://app.test/<.*>', methods: ['GET'] },
      authenticators: [{ handler: 'cookie_session' }],
      authorizer: { handler: 'allow' },
      mutators: [{ handler: 'noop' }],
      upstream: { url: upstream.origin },
    },
  ]);
  policy = compilePolicy(command, { config: join(folder, 'oathkeeper.yml') });
});
after(async () => {
  await upstream?.stop();
  await standIn?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Two isolates with one cache, which is kept in files. */
async function isolates(context) {
  const log = new PassThrough();
  let text = '';
  log.on('data', (chunk) => (text += chunk));
  const state = mkdtempSync(join(folder, 'state-'));
  const gateway = await startWorkerd({
    bundle: join(root, 'build/cloudflare'),
    policy,
    keysSecret,
    listen: { host: '127.0.0.1', port: 0 },
    api: { host: '127.0.0.1', port: 0 },
    state,
    log,
  });
  context.after(() => gateway.stop());
  const bodies = join(state, 'cache/default/blobs');
  return {
    first: (headers = session) => send(gateway.origin, 'http://app.test/', { headers }),
    second: (headers = session) => send(gateway.apiOrigin, 'http://app.test/decisions/', { headers }),
    log: () => text,
    /** The bodies that the cache has, by their files. */
    cached: () => readdirSync(bodies).map((name) => join(bodies, name)),
  };
}

/** What is told behind a response is there a moment later. */
async function cachedOnce({ cached }) {
  for (let n = 0; n < 100; n++) {
    try {
      const [file, ...more] = cached();
      assert.deepEqual(more, []);
      if (file && readFileSync(file).length > 0) return file;
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    await sleep(20);
  }
  throw new Error('nothing is in the cache after two seconds');
}

test('neither a credential nor a person can be read in the cache', async (context) => {
  const site = await isolates(context);
  assert.equal((await site.first()).status, 200);
  const entry = readFileSync(await cachedOnce(site), 'latin1');
  assert.match(entry, /^[0-9]{10} [A-Za-z0-9_-]+$/);
  const until = Number(entry.split(' ')[0]);
  const now = Date.now() / 1000;
  assert.ok(until > now + 300 && until < now + 400, `it ends in ${until - now} s`);
  for (const text of ['ada', 'example.com', session['x-session-token']]) {
    assert.ok(!entry.includes(text) && !Buffer.from(entry.split(' ')[1], 'base64url').includes(text), text);
  }
});

const damages = {
  'has other bytes': (file) => writeFileSync(file, readFileSync(file, 'latin1').replace(/.{8}$/, 'AAAAAAAA')),
  'is no entry': (file) => writeFileSync(file, 'x'.repeat(readFileSync(file).length)),
  'is half of one': (file) => truncateSync(file, 200),
  'is empty': (file) => truncateSync(file, 0),
  'has lost its body': (file) => rmSync(file),
};
for (const [name, damage] of Object.entries(damages)) {
  test(`an entry that ${name} refuses nobody: Kratos is asked, and the log says why`, async (context) => {
    const site = await isolates(context);
    assert.equal((await site.first()).status, 200);
    damage(await cachedOnce(site));
    const before = standIn.asked;
    const began = performance.now();
    assert.equal((await site.second()).status, 200);
    const took = performance.now() - began;
    context.diagnostic(`answered in ${Math.round(took)} ms`);
    assert.ok(took < 2_000, `${took} ms`);
    assert.equal(standIn.asked, before + 1);
    assert.equal((await site.second({ 'x-session-token': 'nobody' })).status, 401);
    if (name !== 'has lost its body') assert.match(site.log(), /sessions are not shared between instances: /);
    assert.ok(!site.log().includes('ory_st_ada'), 'no credential is in the log');
  });
}
