// What scripts/serve runs: builds when something is missing or old, compiles the policy, serves until it is told to stop.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { readArguments, usage } from './gateway/arguments.mjs';
import { isFresh } from './gateway/fresh.mjs';
import { compilePolicy, PolicyRefused, withKeysOnFirstUse } from './gateway/policy.mjs';
import { bindPreservedHosts } from './gateway/preserve-host.mjs';
import { keysSecret } from './gateway/secret.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const bundle = join(root, 'build/cloudflare');
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

const outputs = [command, join(bundle, 'index.js'), join(bundle, 'index_bg.wasm'), join(root, 'node_modules/.installed-lock.json')];
if (!isFresh(root, join(root, 'build/finished'), outputs)) {
  console.error('scripts/serve: building first');
  const built = spawnSync(join(root, 'scripts/build'), ['--no-policy'], { stdio: ['ignore', 2, 2] });
  if (built.status !== 0) fail('the build failed, see above');
}

let policy;
try {
  policy = compilePolicy(command, options);
} catch (error) {
  if (error instanceof PolicyRefused) process.exit(1);
  fail(error.message);
}
// What runs here is for development: without a key in the store, one is made on first use.
const bound = bindPreservedHosts(withKeysOnFirstUse(policy));
for (const id of bound.unbound) {
  console.error(`scripts/serve: rule "${id}": preserve_host has no effect here, because its upstream is not plain http`);
}

// Not before: node_modules may have just been installed.
const { startGateway } = await import('./gateway/workerd.mjs');
try {
  gateway = await startGateway({
    bundle,
    policy: bound.policy,
    bindings: bound.bindings,
    keysSecret: keysSecret(options.state, process.env),
    listen: options.listen,
    api: options.api,
    state: options.state,
  });
} catch (error) {
  const taken = error.code === 'ERR_ADDRESS_IN_USE';
  fail(taken ? 'the address is in use, see above; stop what listens there or choose another' : error.message);
}
console.error(`scripts/serve: listening on ${gateway.origin}${gateway.apiOrigin ? `, API on ${gateway.apiOrigin}` : ''}`);
await gateway.ended;
if (!stopping) fail('the runtime ended by itself, see above');
