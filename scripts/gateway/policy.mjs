import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** `edgekeeper build` refused the configuration; it has already said why, on stderr. */
export class PolicyRefused extends Error {}

/**
 * A policy under which the first signing key is made when it is first needed, as `keys.development` in edge.yml says.
 * @param {string} text the document
 * @returns {string}
 */
export function withKeysOnFirstUse(text) {
  const policy = JSON.parse(text);
  return JSON.stringify({ ...policy, keys: { ...policy.keys, development: true } });
}

/**
 * Compiles a configuration into the policy document.
 * @param {string} command the `edgekeeper` binary
 * @param {{ config: string, edge?: string, root?: string, strict?: boolean, cwd?: string }} files
 * @returns {string} the document, as JSON text
 * @throws {PolicyRefused}
 */
export function compilePolicy(command, { config, edge, root, strict = false, cwd }) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-policy-'));
  try {
    const out = join(folder, 'policy.json');
    const args = ['build', '--config', config, '--out', out];
    if (edge !== undefined) args.push('--edge', edge);
    if (root !== undefined) args.push('--root', root);
    if (strict) args.push('--strict');
    const { status, signal, error } = spawnSync(command, args, { cwd, stdio: ['ignore', 2, 2] });
    if (error) throw error;
    if (status !== 0) throw new PolicyRefused(`edgekeeper build ended with ${signal ?? `status ${status}`}`);
    return readFileSync(out, 'utf8');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
