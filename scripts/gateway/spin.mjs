import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startGuarded } from '../run/guarded.mjs';
import { makeListeners } from './listeners.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The first Spin with wasi:http 0.3.0, which the component speaks. */
const oldest = [4, 1];

/**
 * A gateway running on Spin.
 * @typedef {object} Gateway
 * @property {string} origin of the proxy listener
 * @property {string} [apiOrigin] of the API listener
 * @property {Promise<void>} ended settles when one of its processes is gone, also by `stop`
 * @property {() => Promise<void>} stop
 */

/**
 * Starts the gateway on Spin. Each listener is a `spin up` of its own; both have the same key-value store.
 * @param {object} options
 * @param {string} [options.component] edgekeeper.wasm
 * @param {string} [options.policy] the policy document; without one the gateway answers 503
 * @param {string} [options.command] the `edgekeeper` that writes the manifest's `allowed_outbound_hosts`
 * @param {string} [options.from] an application to start as it is, instead of one made of these three
 * @param {string} [options.keysSecret]
 * @param {Record<string, string>} [options.secrets] others, by name
 * @param {import('./key-sets.mjs').Entry[]} [options.entries] for the key-value store
 * @param {import('./arguments.mjs').Address} options.listen port 0: any that is free
 * @param {import('./arguments.mjs').Address} [options.api]
 * @param {string} [options.state] a folder to keep the key-value store in; without one it is beside the manifest
 * @param {string} [options.runtimeConfigFile] where Spin's stores are
 * @param {string[]} [options.variables] `name=value`; never a secret, which everybody could read in the list of processes
 * @param {number} [options.reuse] how many requests an instance serves; 1 is a fresh one for each
 * @param {boolean} [options.door] whether a door refuses what is no proper request, as Go's server does
 * @param {string} [options.spinBin] the binary; by default a `spin` that is new enough on the PATH, else the test host
 * @param {NodeJS.WritableStream} [options.log] what Spin and the gateway print; stderr by default
 * @returns {Promise<Gateway>}
 */
export async function startSpin({
  component,
  policy,
  command,
  from,
  keysSecret,
  secrets = {},
  entries = [],
  listen,
  api,
  state,
  runtimeConfigFile,
  variables = [],
  reuse,
  door = false,
  spinBin = installedSpin(),
  log = process.stderr,
}) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-spin-'));
  const listeners = makeListeners({ door });
  const stop = async () => {
    await listeners.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const application = from ?? prepare(folder, { component, policy, command });
    const start = ({ host, port }, { own = [], entries = [] }) => {
      const args = ['up', '--from', application, '--listen', `${host}:${port}`];
      if (state !== undefined) args.push('--state-dir', state);
      if (runtimeConfigFile !== undefined) args.push('--runtime-config-file', runtimeConfigFile);
      for (const variable of [...variables, ...own]) args.push('--variable', variable);
      // They are sealed, so everybody may read them in the list of processes.
      for (const { key, value } of entries) args.push('--key-value', `${key}=${value}`);
      if (reuse !== undefined) args.push('--max-instance-reuse-count', String(reuse));
      // Spin's provider of variables from the environment is always on.
      const all = { ...secrets, ...(keysSecret !== undefined && { KEYS_SECRET: keysSecret }) };
      const env = { ...process.env, ...Object.fromEntries(Object.entries(all).map(([name, value]) => [`SPIN_VARIABLE_${name}`, value])) };
      return startGuarded(spinBin, args, { name: 'spin', env, cwd: from === undefined ? folder : undefined, log });
    };
    // One after the other: the first makes the store and compiles the component, the second finds them.
    const origin = await listeners.serve(listen, (address) => start(address, { entries }));
    const apiOrigin = api && (await listeners.serve(api, (address) => start(address, { own: ['listener=api'] })));
    return { origin, apiOrigin, ended: listeners.ended(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Makes an application of the component and a policy, which may reach what the policy needs and nothing else. */
function prepare(folder, { component, policy, command }) {
  const manifest = join(folder, 'spin.toml');
  copyFileSync(join(root, 'spin.toml'), manifest);
  const files = join(folder, 'build/spin');
  mkdirSync(files, { recursive: true });
  copyFileSync(component, join(files, 'edgekeeper.wasm'));
  const document = join(files, 'policy.json');
  writeFileSync(document, policy ?? '');
  if (policy === undefined) return manifest;
  const args = ['spin', '--policy', document, '--manifest', manifest];
  const { status, signal, error } = spawnSync(command, args, { stdio: ['ignore', 'ignore', 2] });
  if (error) throw error;
  if (status !== 0) throw new Error(`edgekeeper spin ended with ${signal ?? `status ${status}`}`);
  return manifest;
}

/**
 * `spin` from the PATH when it is new enough, else the host for tests: no package registry has Spin.
 * @returns {string}
 */
export function installedSpin() {
  const { status, stdout } = spawnSync('spin', ['--version'], { stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' });
  // Another program of that name checks models.
  const [, major, minor] = (status === 0 && /^spin (\d+)\.(\d+)\./.exec(stdout)) || [];
  if (major > oldest[0] || (major == oldest[0] && minor >= oldest[1])) return 'spin';
  const host = spawnSync(join(root, 'scripts/install/spin-host'), { stdio: ['ignore', 'pipe', 2], encoding: 'utf8' });
  if (host.status !== 0) {
    throw new Error(`there is no Spin ${oldest.join('.')} or newer on the PATH, and no host for tests, see above`);
  }
  return host.stdout.trim();
}
