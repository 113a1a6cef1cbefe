import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { keysSecret } from '../../scripts/gateway/secret.mjs';

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
