import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { importKeySets, namesFiles } from '../../scripts/gateway/key-sets.mjs';

const file = { url: 'file:///etc/jwks.json' };
const published = { url: 'https://keys.example.com/jwks.json' };
const policy = ({ authenticator = 'unauthorized', mutator = 'noop', keys } = {}) =>
  JSON.stringify({ keys, rules: [{ authenticators: ['noop', authenticator], mutators: [mutator] }] });

test('a set of keys in a file is found wherever a policy can name it', () => {
  for (const [parts, expected] of [
    [{}, false],
    [{ keys: { source: 'own' } }, false],
    [{ keys: { published } }, false],
    [{ keys: { published: file } }, true],
    [{ authenticator: { jwt: { jwks: [published] } } }, false],
    [{ authenticator: { jwt: { jwks: [published, file] } } }, true],
    [{ mutator: { id_token: { jwks: published } } }, false],
    [{ mutator: { id_token: { jwks: file } } }, true],
    [{ mutator: { id_token: {} } }, false],
  ]) {
    assert.equal(namesFiles(policy(parts)), expected, JSON.stringify(parts));
  }
  assert.equal(namesFiles('{"rules":[]}'), false);
});

/** A program in place of `edgekeeper` that tells what it was given. */
function standIn(t, ending) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-key-sets-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const program = join(folder, 'edgekeeper');
  writeFileSync(program, `#!/usr/bin/env node\n${ending}`, { mode: 0o755 });
  return program;
}

const tells = `const args = process.argv.slice(2), out = args[args.indexOf('--out') + 1];
require('node:fs').writeFileSync(out, JSON.stringify([{ key: args.join(' '), value: process.env.KEYS_SECRET }]));`;

test('the sets are sealed under the secret of the gateway that is started, and nothing is left behind', (t) => {
  const command = standIn(t, tells);
  const files = { config: '/a/oathkeeper.yml', edge: '/a/edge.yml', root: '/a/root', strict: true };
  const signs = policy({ mutator: { id_token: { jwks: file } } });
  const [{ key, value }] = importKeySets(command, files, { policy: signs, keysSecret: 'the secret' });
  assert.equal(value, 'the secret');
  const out = /--out (\S+)/.exec(key)[1];
  assert.equal(key, `keys import --config /a/oathkeeper.yml --out ${out} --edge /a/edge.yml --root /a/root --strict`);
  assert.equal(existsSync(dirname(out)), false);
  const [plain] = importKeySets(command, { config: 'c' }, { policy: signs, keysSecret: 's' });
  assert.match(plain.key, /^keys import --config c --out \S+$/);
});

test('nothing is imported for a policy without files', (t) => {
  const command = standIn(t, 'process.exit(1)');
  assert.deepEqual(importKeySets(command, { config: 'c' }, { policy: policy(), keysSecret: 's' }), []);
});

test('a set that cannot be imported ends the start', (t) => {
  const signs = { policy: policy({ mutator: { id_token: { jwks: file } } }), keysSecret: 's' };
  assert.throws(() => importKeySets(standIn(t, 'process.exit(3)'), { config: 'c' }, signs), /keys import ended with status 3/);
  assert.throws(() => importKeySets('/nonexistent/edgekeeper', { config: 'c' }, signs), { code: 'ENOENT' });
});
