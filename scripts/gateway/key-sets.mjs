import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * An entry for the key-value store.
 * @typedef {{ key: string, value: string }} Entry
 */

/**
 * Whether a policy names a set of keys that is in a file: `jwks_url` of `id_token`, `jwks_urls` of `jwt`.
 * @param {string} policy the document
 * @returns {boolean}
 */
export function namesFiles(policy) {
  const { keys, rules } = JSON.parse(policy);
  const handlers = rules.flatMap(({ authenticators, mutators }) => [...authenticators, ...mutators]);
  // `{"jwt": {…}}`, or `"noop"` where nothing is configured.
  const configs = handlers.flatMap((handler) => (typeof handler === 'string' ? [] : Object.values(handler)));
  const sets = [keys?.published, ...configs.flatMap(({ jwks }) => jwks ?? [])];
  return sets.some((set) => set?.url.startsWith('file:'));
}

/**
 * Seals the sets of keys that a configuration names as files, as `edgekeeper keys import` does for a store elsewhere.
 * @param {string} command the `edgekeeper` binary
 * @param {{ config: string, edge?: string, root?: string, strict?: boolean }} files
 * @param {{ policy: string, keysSecret: string }} compiled
 * @returns {Entry[]} none where the policy names no file
 */
export function importKeySets(command, { config, edge, root, strict = false }, { policy, keysSecret }) {
  if (!namesFiles(policy)) return [];
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-keys-'));
  try {
    const out = join(folder, 'entries.json');
    const args = ['keys', 'import', '--config', config, '--out', out];
    if (edge !== undefined) args.push('--edge', edge);
    if (root !== undefined) args.push('--root', root);
    if (strict) args.push('--strict');
    const env = { ...process.env, KEYS_SECRET: keysSecret };
    const { status, signal, error } = spawnSync(command, args, { env, stdio: ['ignore', 'ignore', 2] });
    if (error) throw error;
    if (status !== 0) throw new Error(`edgekeeper keys import ended with ${signal ?? `status ${status}`}, see above`);
    return JSON.parse(readFileSync(out, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
