// What scripts/serve runs: builds when something is missing or old, compiles the policy, serves until it is told to stop.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readArguments, usage } from './gateway/arguments.mjs';
import { isFresh } from './gateway/fresh.mjs';
import { importKeySets } from './gateway/key-sets.mjs';
import { compilePolicy, PolicyRefused, withKeysOnFirstUse } from './gateway/policy.mjs';
import { keysSecret, namedSecrets, spinSecret } from './gateway/secret.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
const command = join(target, 'debug/edgekeeper');

function fail(message, status = 1) {
  console.error(`scripts/serve: ${message}`);
  process.exit(status);
}

let gateway;
let stopping = false;
const stop = async () => {
  stopping = true;
  await gateway?.stop();
  process.exit(0);
};
for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, stop);

let options;
try {
  options = readArguments(process.argv.slice(2), process.cwd());
} catch (error) {
  fail(`${error.message}\n${usage}`, 2);
}
const bundle = join(root, 'build', options.runtime);

const files = options.runtime === 'cloudflare' ? ['index.js', 'index_bg.wasm'] : ['edgekeeper.wasm'];
const outputs = [command, join(root, 'node_modules/.installed-lock.json'), ...files.map((name) => join(bundle, name))];
// An application that is there was built by whoever made it.
if (options.from === undefined && !isFresh(root, options.runtime, outputs)) {
  console.error('scripts/serve: building first');
  const built = spawnSync(join(root, 'scripts/build'), ['--no-policy', '--runtime', options.runtime], { stdio: ['ignore', 2, 2] });
  if (built.status !== 0) fail('the build failed, see above');
}

let policy;
if (options.config !== undefined) {
  try {
    // What runs here is for development: without a key in the store, one is made on first use.
    policy = withKeysOnFirstUse(compilePolicy(command, options));
  } catch (error) {
    if (error instanceof PolicyRefused) process.exit(1);
    fail(error.message);
  }
}

const { listen, api, state, reuse } = options;
// In strict mode what is no request is answered as Oathkeeper's own server does it, which no runtime does by itself.
const door = policy !== undefined && JSON.parse(policy).strict === true;
const common = { policy, listen, api, state, reuse, door, secrets: namedSecrets(policy, process.env) };
/** The secret that seals keys, and those that the configuration has in files, sealed under it. */
const keys = (secret) => ({
  keysSecret: secret,
  entries: policy === undefined ? [] : importKeySets(command, options, { policy, keysSecret: secret }),
});
const ownKeys = () => keys(keysSecret(state, process.env));
// Each is loaded when it is needed, not before: node_modules may have just been installed.
const start = {
  async cloudflare() {
    const { startWorkerd } = await import('./gateway/workerd.mjs');
    const { bindPreservedHosts } = await import('./gateway/preserve-host.mjs');
    const bound = bindPreservedHosts(policy);
    for (const id of bound.unbound) {
      console.error(`scripts/serve: rule "${id}": preserve_host has no effect here, because its upstream is not plain http`);
    }
    return startWorkerd({ ...common, ...ownKeys(), bundle, policy: bound.policy, bindings: bound.bindings });
  },
  async spin() {
    const { startSpin } = await import('./gateway/spin.mjs');
    const { spinBin, from, runtimeConfigFile, variables } = options;
    const component = join(bundle, 'edgekeeper.wasm');
    return startSpin({
      ...common,
      ...keys(spinSecret(options, process.env)),
      component,
      command,
      spinBin,
      from,
      runtimeConfigFile,
      variables,
    });
  },
  async wasi() {
    const { startWasi } = await import('./gateway/wasi.mjs');
    return startWasi({ ...common, ...ownKeys(), component: join(bundle, 'edgekeeper.wasm') });
  },
};
try {
  gateway = await start[options.runtime]();
} catch (error) {
  const taken = error.code === 'ERR_ADDRESS_IN_USE';
  fail(taken ? `${error.message}; stop what listens there or choose another address` : error.message);
}
if (stopping) await stop();
console.error(`scripts/serve: listening on ${gateway.origin}${gateway.apiOrigin ? `, API on ${gateway.apiOrigin}` : ''}`);
await gateway.ended;
if (!stopping) fail('the runtime ended by itself, see above');
