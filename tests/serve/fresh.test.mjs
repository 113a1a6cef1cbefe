import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { isFresh } from '../../scripts/gateway/fresh.mjs';

const sources = ['Cargo.toml', 'Cargo.lock', 'rust-toolchain.toml', 'package-lock.json', 'scripts/build', 'shared/a/src/lib.rs', 'edge/cli/src/main.rs'];
let root;
const at = (path, seconds) => utimesSync(join(root, path), seconds, seconds);
const fresh = () => isFresh(root, join(root, 'build/finished'), [join(root, 'build/index.js')]);

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'edgekeeper-fresh-'));
  for (const path of [...sources, 'build/finished', 'build/index.js']) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), '');
  }
  for (const path of ['shared', 'shared/a', 'shared/a/src', 'edge', 'edge/cli', 'edge/cli/src', ...sources]) at(path, 1000);
  at('build/finished', 2000);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a build that ended after the last change is fresh', () => assert.equal(fresh(), true));

for (const path of [...sources, 'shared/a/src']) {
  test(`a later change of ${path} asks for a build`, () => {
    at(path, 3000);
    assert.equal(fresh(), false);
  });
}

for (const path of ['build/finished', 'build/index.js']) {
  test(`${path} missing asks for a build`, () => {
    rmSync(join(root, path));
    assert.equal(fresh(), false);
  });
}
