import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const install = fileURLToPath(new URL('../install/wasmtime', import.meta.url));

/** How long a start may take: the first one compiles the component, on a busy machine. */
const startSeconds = 60;

/** How long wasmtime may take to end, in milliseconds. */
const patience = 1000;

/** How many requests one instance serves, one after the other, unless told otherwise. What it remembers goes with it. */
const requestsPerInstance = 128;

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
 * @param {import('./arguments.mjs').Address} options.listen port 0 lets the system choose
 * @param {import('./arguments.mjs').Address} [options.api]
 * @param {string | false} [options.state] a folder to keep the key-value store in; without one it ends with the gateway,
 *   with `false` there is none
 * @param {Record<string, string>} [options.environment] other variables for the gateway
 * @param {number} [options.reuse] how many requests an instance serves; 1 is a fresh one for each
 * @param {string} [options.wasmtime] the binary; by default what scripts/install/wasmtime says
 * @param {NodeJS.WritableStream} [options.log] what wasmtime and the gateway print; stderr by default
 * @returns {Promise<Gateway>}
 */
export async function startWasi({
  component,
  policy,
  keysSecret,
  listen,
  api,
  state,
  environment = {},
  reuse = requestsPerInstance,
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

  const serve = (listener, { host, port }) => {
    const args = ['serve', '--addr', `${host}:${port}`, '-Scli', '--no-logging-prefix'];
    args.push('--max-instance-reuse-count', String(reuse));
    args.push('--dir', `${policyFolder}::/policy`, ...(state === false ? [] : ['--dir', `${stateFolder}::/state`]));
    const own = { ...environment, LISTENER: listener, ...(keysSecret === undefined ? {} : { KEYS_SECRET: keysSecret }) };
    // By name: a value would stand in the list of processes for all to see.
    for (const name of Object.keys(own)) args.push('--env', name);
    args.push(component);
    return startProcess(wasmtime, args, own, log);
  };
  const processes = [serve('proxy', listen), ...(api === undefined ? [] : [serve('api', api)])];
  const stop = async () => {
    await Promise.all(processes.map((process) => process.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const [origin, apiOrigin] = await Promise.all(processes.map((process) => process.listening));
    return { origin, apiOrigin, ended: Promise.race(processes.map((process) => process.ended)), stop };
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

// Becomes the program, and leaves somebody behind who ends it when this process is gone without a word (SIGKILL too).
const guarded = 'exec 3<&0; { read -r _ <&3; kill -9 $$; } >/dev/null 2>&1 & exec "$@" 3<&- </dev/null';

function startProcess(command, args, own, log) {
  // A request that wasmtime itself refuses would be forty lines of its stack.
  const env = { ...process.env, RUST_BACKTRACE: '0', ...own };
  const child = spawn('/bin/sh', ['-c', guarded, 'sh', command, ...args], { env, stdio: 'pipe' });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);

  let printed = '';
  let failure;
  const ended = new Promise((resolve) => {
    const end = (reason) => {
      failure ??= reason;
      process.off('exit', killWithUs);
      resolve();
    };
    child.once('error', (error) => end(`wasmtime could not be started: ${error.message}`));
    child.once('exit', (code, signal) => end(`wasmtime ended with ${signal ?? `status ${code}`}`));
  });
  const listening = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('wasmtime does not listen')), startSeconds * 1000);
    const done = (act) => {
      clearTimeout(timer);
      act();
    };
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        log.write(chunk);
        if (printed === undefined) return;
        printed += chunk;
        const [, origin] = /^Serving HTTP on (http:\/\/\S+)\/$/m.exec(printed) ?? [];
        if (origin === undefined) return;
        printed = undefined;
        done(() => resolve(origin));
      });
    }
    ended.then(() =>
      done(() => {
        const taken = /Address already in use/.test(printed ?? '');
        reject(Object.assign(new Error(failure), taken ? { code: 'ERR_ADDRESS_IN_USE' } : {}));
      }),
    );
  });
  // Whoever asks hears of it; nobody has to.
  listening.catch(() => {});

  return {
    listening,
    ended,
    async stop() {
      if (failure !== undefined) return;
      child.kill('SIGTERM');
      const killer = setTimeout(killWithUs, patience);
      await ended;
      clearTimeout(killer);
    },
  };
}
