import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { startGuarded } from '../run/guarded.mjs';
import { makeListeners } from './listeners.mjs';

const install = fileURLToPath(new URL('../install/wasmtime', import.meta.url));

/** How many requests one instance serves, one after the other, unless told otherwise. What it remembers goes with it. */
const requestsPerInstance = 128;

/**
 * How many requests are open at once; more wait. wasmtime has room for 1,000 core instances, of which a component is made of
 * three, and would answer 500 to whoever comes when that is full.
 */
const requestsAtOnce = 300;

/**
 * A gateway running on wasmtime.
 * @typedef {object} Gateway
 * @property {string} origin of the proxy listener
 * @property {string} [apiOrigin] of the API listener
 * @property {Promise<void>} ended settles when one of its processes is gone, also by `stop`
 * @property {() => Promise<void>} stop
 */

/**
 * Starts the gateway on wasmtime. Each listener is a process of its own; both have the same state folder.
 * @param {object} options
 * @param {string} options.component edgekeeper.wasm
 * @param {string} [options.policy] the policy document; without one the gateway answers 503
 * @param {string} [options.keysSecret]
 * @param {Record<string, string>} [options.secrets] others, by name
 * @param {import('./key-sets.mjs').Entry[]} [options.entries] for the key-value store
 * @param {import('./arguments.mjs').Address} options.listen port 0: any that is free
 * @param {import('./arguments.mjs').Address} [options.api]
 * @param {string | false} [options.state] a folder to keep the key-value store in; without one it ends with the gateway,
 *   with `false` there is none
 * @param {Record<string, string>} [options.environment] other variables for the gateway
 * @param {number} [options.reuse] how many requests an instance serves; 1 is a fresh one for each
 * @param {boolean} [options.door] whether a door refuses what is no proper request, as Go's server does
 * @param {string} [options.wasmtime] the binary; by default what scripts/install/wasmtime says
 * @param {NodeJS.WritableStream} [options.log] what wasmtime and the gateway print; stderr by default
 * @returns {Promise<Gateway>}
 */
export async function startWasi({
  component,
  policy,
  keysSecret,
  secrets = {},
  entries = [],
  listen,
  api,
  state,
  environment = {},
  reuse = requestsPerInstance,
  door = false,
  wasmtime = installedWasmtime(),
  log = process.stderr,
}) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-wasi-'));
  const policyFolder = join(folder, 'policy');
  mkdirSync(policyFolder);
  if (policy !== undefined) writeFileSync(join(policyFolder, 'policy.json'), policy);
  // Beside it lies the secret that scripts/serve keeps, which is not for the component to read.
  const stateFolder = state ? join(state, 'store') : join(folder, 'store');
  mkdirSync(stateFolder, { recursive: true });
  for (const { key, value } of entries) {
    const file = join(stateFolder, key);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, value, { mode: 0o600 });
  }

  const listeners = makeListeners({ door });
  const stop = async () => {
    await listeners.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  const start = (listener, { host, port }) => {
    const args = ['serve', '--addr', `${host}:${port}`, '-Scli', '--no-logging-prefix'];
    args.push('--max-instance-reuse-count', String(reuse), '--max-concurrent-requests', String(requestsAtOnce));
    // What it has compiled it keeps below HOME, and without one it does not start.
    if (!process.env.HOME) args.push('-Ccache=n');
    args.push('--dir', `${policyFolder}::/policy`, ...(state === false ? [] : ['--dir', `${stateFolder}::/state`]));
    const own = { ...environment, ...secrets, LISTENER: listener, ...(keysSecret === undefined ? {} : { KEYS_SECRET: keysSecret }) };
    // By name: a value would stand in the list of processes for all to see.
    for (const name of Object.keys(own)) args.push('--env', name);
    args.push(component);
    // A request that wasmtime itself refuses would be forty lines of its stack.
    const env = { ...process.env, RUST_BACKTRACE: '0', ...own };
    return startGuarded(wasmtime, args, { name: 'wasmtime', env, log });
  };
  try {
    // One after the other: the first compiles the component, the second finds it compiled.
    const origin = await listeners.serve(listen, (address) => start('proxy', address));
    const apiOrigin = api && (await listeners.serve(api, (address) => start('api', address)));
    return { origin, apiOrigin, ended: listeners.ended(), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

function installedWasmtime() {
  const { status, stdout } = spawnSync(install, { stdio: ['ignore', 'pipe', 2], encoding: 'utf8' });
  if (status !== 0) throw new Error('there is no wasmtime, see above');
  return stdout.trim();
}
