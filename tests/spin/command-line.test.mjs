// How scripts/serve starts Spin: by the flags that `spin up` documents and nothing else. A recording program stands in
// for `spin`, so that every argument can be seen.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { after, before, beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startSpin } from '../../scripts/gateway/spin.mjs';
import { choosePorts } from '../runtimes/runtime.mjs';

const fakeSpin = fileURLToPath(new URL('fake-spin.mjs', import.meta.url));
const keysSecret = 'never-on-a-command-line-0123456789abcdef';

let folder;
let record;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-command-line-'));
});
beforeEach(() => {
  record = join(folder, 'record');
  rmSync(record, { force: true });
  process.env.RECORD = record;
  delete process.env.REFUSE;
});
after(() => rmSync(folder, { recursive: true, force: true }));

const calls = () => readFileSync(record, 'utf8').trim().split('\n').map((line) => JSON.parse(line));

async function start(options) {
  const { port, apiPort } = await choosePorts();
  const log = new PassThrough();
  const gateway = await startSpin({
    spinBin: fakeSpin,
    keysSecret,
    listen: { host: '127.0.0.1', port },
    log,
    ...(options.api && { api: { host: '127.0.0.1', port: apiPort } }),
    ...options.with,
  });
  return { gateway, port, apiPort, log };
}

test('an application that is there is started with the flags it was asked for, in this order', async () => {
  const { gateway, port } = await start({
    with: {
      from: '/app/spin.toml',
      state: '/app/state',
      runtimeConfigFile: '/app/runtime-config.toml',
      variables: ['policy=store:policy', 'other=a b'],
      reuse: 1,
    },
  });
  try {
    assert.equal(await (await fetch(gateway.origin)).text(), 'fake', 'it listens when it is said to');
    const [call, ...more] = calls();
    assert.deepEqual(more, []);
    assert.deepEqual(call.args, [
      ...['up', '--from', '/app/spin.toml', '--listen', `127.0.0.1:${port}`],
      ...['--state-dir', '/app/state', '--runtime-config-file', '/app/runtime-config.toml'],
      ...['--variable', 'policy=store:policy', '--variable', 'other=a b'],
      ...['--max-instance-reuse-count', '1'],
    ]);
    assert.equal(call.cwd, process.cwd(), 'relative paths in the configuration mean what they do for the caller');
  } finally {
    await gateway.stop();
  }
  await assert.rejects(fetch(gateway.origin), 'it is gone');
});

test('nothing is passed that nobody asked for, and the secret goes through the environment', async () => {
  const { gateway, port } = await start({ with: { from: '/app/spin.toml' } });
  await gateway.stop();
  const [call] = calls();
  assert.deepEqual(call.args, ['up', '--from', '/app/spin.toml', '--listen', `127.0.0.1:${port}`]);
  assert.equal(call.secret, keysSecret);
});

test('the API listener is the same application with one variable more, on the same store', async () => {
  const { gateway, port, apiPort } = await start({
    api: true,
    with: { from: '/app/spin.toml', state: '/app/state', variables: ['listener=proxy'] },
  });
  await gateway.stop();
  assert.deepEqual(
    calls().map((call) => call.args.slice(3)),
    [
      ['--listen', `127.0.0.1:${port}`, '--state-dir', '/app/state', '--variable', 'listener=proxy'],
      [
        ...['--listen', `127.0.0.1:${apiPort}`, '--state-dir', '/app/state'],
        ...['--variable', 'listener=proxy', '--variable', 'listener=api'],
      ],
    ],
  );
  assert.equal(gateway.apiOrigin, `http://127.0.0.1:${apiPort}`);
});

test('without an application one is made, that may reach what the policy needs', async () => {
  const component = join(folder, 'edgekeeper.wasm');
  writeFileSync(component, 'component');
  const policy = '{"format":2,"errors":[],"rules":[]}';
  // In place of `edgekeeper`, to see how it is called.
  const { gateway } = await start({ with: { component, policy, command: writeManifest(folder) } });
  const [call] = calls();
  const manifest = call.args[2];
  const text = readFileSync(manifest, 'utf8');
  assert.match(text, /^# allowed by --policy \S+\/build\/spin\/policy\.json$/m);
  assert.equal(readFileSync(join(manifest, '../build/spin/policy.json'), 'utf8'), policy);
  assert.equal(readFileSync(join(manifest, '../build/spin/edgekeeper.wasm'), 'utf8'), 'component');
  assert.ok(!text.includes(keysSecret));
  await gateway.stop();
  assert.ok(!existsSync(manifest), 'nothing is left behind');
});

test('when Spin refuses, its reason is in the log and nothing is left running', async () => {
  process.env.REFUSE = 'Error: no';
  const log = new PassThrough();
  await assert.rejects(start({ with: { from: '/app/spin.toml', log } }), /^Error: spin ended with status 3$/);
  assert.equal(String(log.read()), 'Error: no\n');
});

test('an address that is taken is told apart', async () => {
  const { gateway, port } = await start({ with: { from: '/app/spin.toml' } });
  try {
    const again = start({ with: { from: '/app/spin.toml', listen: { host: '127.0.0.1', port } } });
    await assert.rejects(again, { code: 'ERR_ADDRESS_IN_USE' });
  } finally {
    await gateway.stop();
  }
});

function writeManifest(folder) {
  const path = join(folder, 'edgekeeper');
  writeFileSync(path, '#!/bin/sh\necho "# allowed by $2 $3" >>"$5"\n', { mode: 0o755 });
  return path;
}
