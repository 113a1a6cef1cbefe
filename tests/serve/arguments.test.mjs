import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { readArguments } from '../../scripts/gateway/arguments.mjs';

const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-arguments-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const read = (...more) => readArguments(['--config', 'oathkeeper.yml', '--listen', '127.0.0.1:4455', ...more], folder);

test('paths are relative to where the caller stands', () => {
  const { config, root, state } = read('--root', 'files', '--state', '../kept');
  assert.equal(config, join(folder, 'oathkeeper.yml'));
  assert.equal(root, join(folder, 'files'));
  assert.equal(state, join(folder, '../kept'));
});

test('edge.yml beside the configuration is used when it is there and no other is named', () => {
  assert.equal(read().edge, undefined);
  writeFileSync(join(folder, 'edge.yml'), '');
  assert.equal(read().edge, join(folder, 'edge.yml'));
  assert.equal(read('--edge', 'other.yml').edge, join(folder, 'other.yml'));
});

for (const [text, host, port] of [
  ['127.0.0.1:4455', '127.0.0.1', 4455],
  ['localhost:80', 'localhost', 80],
  ['[::1]:65535', '[::1]', 65535],
  [':4456', '0.0.0.0', 4456],
]) {
  test(`--api ${text} is an address`, () => assert.deepEqual(read('--api', text).api, { host, port }));
}

for (const text of ['4455', '127.0.0.1', '127.0.0.1:', '127.0.0.1:65536', '::1:80', 'http://127.0.0.1:80', '']) {
  test(`--api "${text}" is refused with the right form`, () => {
    assert.throws(() => read('--api', text), /--api .*HOST:PORT/);
  });
}

test('what is missing or unknown is named', () => {
  assert.throws(() => readArguments(['--listen', ':1'], folder), /--config is missing/);
  assert.throws(() => readArguments(['--config', 'x'], folder), /--listen is missing/);
  assert.throws(() => read('--runtime', 'deno'), /deno.*allowed: cloudflare, spin, wasi/);
  assert.throws(() => read('--port', '1'), /--port/);
});

test('what `spin up` knows is known with --runtime spin', () => {
  const spin = (...more) => readArguments(['--runtime', 'spin', '--listen', '127.0.0.1:3000', ...more], folder);
  const { from, runtimeConfigFile, variables, spinBin } = spin(
    ...['--from', 'app', '--runtime-config-file', 'redis.toml', '--variable', 'a=1', '--variable', 'b=x=y', '--spin-bin', 'bin/spin'],
  );
  assert.equal(from, join(folder, 'app'));
  assert.equal(runtimeConfigFile, join(folder, 'redis.toml'));
  assert.deepEqual(variables, ['a=1', 'b=x=y']);
  assert.equal(spinBin, join(folder, 'bin/spin'));
  assert.equal(spin('--from', 'app', '--spin-bin', 'spin').spinBin, 'spin', 'a bare name is looked up on the PATH');
});

test('what cannot be meant together is refused with the reason', () => {
  assert.throws(() => read('--from', 'app'), /--from is for --runtime spin, this is --runtime cloudflare/);
  assert.throws(() => read('--max-instance-reuse-count', '1'), /is for --runtime spin or wasi, this is --runtime cloudflare/);
  assert.throws(() => read('--runtime', 'wasi', '--max-instance-reuse-count', '0'), /how many requests an instance serves, from 1 on/);
  assert.throws(() => read('--runtime', 'wasi', '--spin-bin', 'x'), /--spin-bin is for --runtime spin, this is --runtime wasi/);
  assert.throws(() => read('--runtime', 'spin', '--from', 'app'), /--config and --from: .* leave one of the two out/);
  assert.throws(() => read('--runtime', 'spin', '--variable', 'KEYS_SECRET=hidden'), (error) => {
    assert.match(error.message, /--variable KEYS_SECRET: write NAME=VALUE/);
    assert.doesNotMatch(error.message, /hidden/);
    return true;
  });
});
