import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startSpin } from '../../scripts/gateway/spin.mjs';
import { send } from '../runtimes/client.mjs';
import { secret } from '../wasi/gateway.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');
const built = join(root, 'build/spin/edgekeeper.wasm');

/**
 * The gateway on Spin, in an application of the test's own.
 * @typedef {import('../../scripts/gateway/spin.mjs').Gateway & {
 *   log: () => string,
 *   ask: (url: string, ask?: import('../runtimes/client.mjs').Ask) => Promise<import('../runtimes/client.mjs').Answer>,
 * }} SpinGateway
 */

/**
 * Starts it on a port that is free.
 * @param {Partial<Parameters<typeof startSpin>[0]>} options
 * @returns {Promise<SpinGateway>}
 */
export async function startGateway(options) {
  let printed = '';
  const gateway = await startSpin({
    component: built,
    command,
    keysSecret: secret,
    listen: { host: '127.0.0.1', port: 0 },
    log: { write: (chunk) => (printed += chunk) },
    ...options,
  });
  return { ...gateway, log: () => printed, ask: (url, ask) => send(gateway.origin, url, ask) };
}

/**
 * An application like the one in the root, whose manifest a test has changed. `allowed_outbound_hosts` is empty.
 * @param {string} policy
 * @param {(manifest: string) => string} [change]
 * @param {string} [component]
 * @returns {{ from: string, remove: () => void }}
 */
export function application(policy, change = (manifest) => manifest, component = built) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-tests-spin-'));
  const files = join(folder, 'build/spin');
  mkdirSync(files, { recursive: true });
  copyFileSync(component, join(files, 'edgekeeper.wasm'));
  writeFileSync(join(files, 'policy.json'), policy);
  const manifest = readFileSync(join(root, 'spin.toml'), 'utf8').replace(
    /^allowed_outbound_hosts = \[[^\]]*\]/m,
    'allowed_outbound_hosts = []',
  );
  const changed = change(manifest);
  const from = join(folder, 'spin.toml');
  writeFileSync(from, changed);
  return { from, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

/**
 * The origins that a manifest's component may reach.
 * @param {...string} origins
 * @returns {(manifest: string) => string}
 */
export function reaching(...origins) {
  return (manifest) => manifest.replace('allowed_outbound_hosts = []', `allowed_outbound_hosts = ${JSON.stringify(origins)}`);
}
