import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { keysSecret, spinSecret } from '../../scripts/gateway/secret.mjs';

const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-secret-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('the environment decides before anything else, and nothing is written', () => {
  const state = join(folder, 'unused');
  assert.equal(keysSecret(state, { KEYS_SECRET: 'given' }), 'given');
  assert.throws(() => statSync(state), { code: 'ENOENT' });
});

test('without a state folder every run has a secret of its own', () => {
  assert.notEqual(keysSecret(undefined, {}), keysSecret(undefined, {}));
  assert.equal(Buffer.from(keysSecret(undefined, {}), 'base64url').length, 32);
});

test('a state folder keeps its secret, for the owner only', () => {
  const state = join(folder, 'kept');
  assert.equal(keysSecret(state, {}), keysSecret(state, {}));
  assert.equal(statSync(join(state, 'keys-secret')).mode & 0o777, 0o600);
});

test('a Spin application that lies somewhere keeps its secret there, as its store is kept there', () => {
  const app = mkdtempSync(join(tmpdir(), 'edgekeeper-secret-spin-'));
  try {
    const first = spinSecret({ from: join(app, 'spin.toml') }, {});
    assert.equal(spinSecret({ from: app }, {}), first, 'a folder, or the manifest in it');
    assert.equal(readFileSync(join(app, '.spin/keys-secret'), 'utf8'), first);
    assert.equal(spinSecret({ from: app }, { KEYS_SECRET: 'a' }), 'a');
    assert.equal(spinSecret({ from: app }, { KEYS_SECRET: 'a', SPIN_VARIABLE_KEYS_SECRET: 'b' }), 'b', "Spin's own variable first");
    assert.notEqual(spinSecret({}, {}), first, 'an application of this run has one of its own');
  } finally {
    rmSync(app, { recursive: true, force: true });
  }
});
