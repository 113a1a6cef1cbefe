import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { isFresh } from '../../scripts/gateway/fresh.mjs';

const sources = ['Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'package-lock.json', 'scripts/build', 'shared/a/src/lib.rs', 'edge/cli/src/main.rs', 'edge/wasi/src/lib.rs', 'edge/component/src/lib.rs', 'edge/folder/src/lib.rs', 'edge/pipe/src/lib.rs'];
let root;
const at = (path, seconds) => utimesSync(join(root, path), seconds, seconds);
const fresh = () => isFresh(root, 'wasi', [join(root, 'build/wasi/edgekeeper.wasm')]);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'edgekeeper-fresh-'));
  for (const path of [...sources, 'edge/spin/src/lib.rs', 'build/wasi/finished', 'build/wasi/edgekeeper.wasm']) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
  for (const path of ['shared', 'shared/a', 'shared/a/src', 'edge', ...['cli', 'wasi', 'component', 'folder', 'pipe'].flatMap((name) => [`edge/${name}`, `edge/${name}/src`]), ...sources]) at(path, 1000);
  at('build/wasi/finished', 2000);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a build that ended after the last change is fresh', () => assert.equal(fresh(), true));

for (const path of [...sources, 'shared/a/src']) {
  test(`a later change of ${path} asks for a build`, () => {
    at(path, 3000);
    assert.equal(fresh(), false);
  });
}

test("another runtime's adapter does not", () => {
  at('edge/spin/src/lib.rs', 3000);
  assert.equal(fresh(), true);
});

for (const path of ['build/wasi/finished', 'build/wasi/edgekeeper.wasm']) {
  test(`${path} missing asks for a build`, () => {
    rmSync(join(root, path));
    assert.equal(fresh(), false);
  });
}
