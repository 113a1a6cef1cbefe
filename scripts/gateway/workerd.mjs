import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { Log, LogLevel, Miniflare } from 'miniflare';

import { mustBeFree } from '../run/guarded.mjs';
import { openDoor } from './door.mjs';

/** The date whose runtime behaviour the Worker is written for; wrangler.toml says the same. */
export const compatibilityDate = '2026-04-01';

/**
 * A gateway running on workerd.
 * @typedef {object} Gateway
 * @property {string} origin of the proxy listener
 * @property {string} [apiOrigin] of the API listener
 * @property {Miniflare} miniflare for tests: `getKVNamespace('KEYS', 'proxy')`, `getCaches()`, `(await getWorker('proxy')).scheduled()`
 * @property {Promise<void>} ended settles when the runtime is gone, also by `stop`
 * @property {() => Promise<void>} stop
 */

/**
 * Starts the gateway on workerd.
 *
 * Requests reach the Worker as they were sent: Miniflare's own proxy, which rewrites them, is not in the way. It still
 * opens a port of its own on loopback; behind that is a Worker that answers 404. What Cloudflare's front would refuse, a
 * door before workerd does in strict mode.
 * @param {object} options
 * @param {string} options.bundle the folder with index.js and index_bg.wasm
 * @param {string} options.policy the policy document
 * @param {string} options.keysSecret
 * @param {Record<string, string>} [options.secrets] others, by name
 * @param {import('./key-sets.mjs').Entry[]} [options.entries] for the key-value store
 * @param {import('./arguments.mjs').Address} options.listen port 0 lets the system choose
 * @param {import('./arguments.mjs').Address} [options.api]
 * @param {Record<string, any>} [options.bindings] service bindings, by name
 * @param {string} [options.state] a folder to keep the key-value store and the cache in
 * @param {boolean} [options.door] whether a door refuses what is no proper request, as Go's server does
 * @param {NodeJS.WritableStream} [options.log] what the runtime prints; stderr by default
 * @returns {Promise<Gateway>}
 */
export async function startWorkerd({ bundle, policy, keysSecret, secrets = {}, entries = [], listen, api, bindings = {}, state, door = false, log = process.stderr }) {
  const modules = [
    { type: 'ESModule', path: 'index.js', contents: readFileSync(join(bundle, 'index.js'), 'utf8') },
    { type: 'CompiledWasm', path: 'index_bg.wasm', contents: readFileSync(join(bundle, 'index_bg.wasm')) },
    { type: 'Text', path: 'policy.json', contents: policy },
  ];
  // workerd listens before there is anything in its store: nobody is let in until the entries are.
  const behindDoor = door || entries.length > 0;
  const addresses = { proxy: listen, ...(api === undefined ? {} : { api }) };
  for (const address of Object.values(addresses)) await mustBeFree(address);
  const worker = (listener) => ({
    name: listener,
    modules,
    compatibilityDate,
    bindings: { ...secrets, LISTENER: listener, KEYS_SECRET: keysSecret },
    kvNamespaces: { KEYS: 'KEYS' },
    serviceBindings: bindings,
    unsafeDirectSockets: [behindDoor ? { host: '127.0.0.1', port: 0 } : addresses[listener]],
    // Miniflare would send everything through a proxy of its own, which adds CF-Worker to each request.
    stripCfConnectingIp: false,
  });
  let gone;
  const ended = new Promise((resolve) => (gone = resolve));
  const miniflare = new Miniflare({
    // `false`: no look-up of request.cf from a server outside.
    cf: false,
    host: '127.0.0.1',
    port: 0,
    log: new Log(LogLevel.NONE),
    kvPersist: state === undefined ? false : join(state, 'kv'),
    // All Workers here share one cache, as those of a data centre do.
    cachePersist: state === undefined ? false : join(state, 'cache'),
    handleRuntimeStdio(stdout, stderr) {
      for (const stream of [stdout, stderr]) stream.on('data', (chunk) => log.write(chunk));
      stdout.once('end', gone);
    },
    workers: [{ name: 'closed', modules: true, script: closed, compatibilityDate }, ...Object.keys(addresses).map(worker)],
  });
  const doors = {};
  const stop = async () => {
    await Promise.all(Object.values(doors).map((door) => door.close()));
    await miniflare.dispose();
  };
  try {
    await miniflare.ready;
    const store = await miniflare.getKVNamespace('KEYS', 'proxy');
    for (const { key, value } of entries) await store.put(key, value);
    const origins = {};
    for (const [listener, address] of Object.entries(addresses)) {
      const { origin, port } = await miniflare.unsafeGetDirectURL(listener);
      origins[listener] = origin;
      if (!behindDoor) continue;
      doors[listener] = await openDoor({ listen: address, port: Number(port) });
      origins[listener] = doors[listener].origin;
    }
    return { origin: origins.proxy, apiOrigin: origins.api, miniflare, ended, stop };
  } catch (error) {
    await stop().catch(() => {});
    throw error;
  }
}

const closed = `export default { fetch: () => new Response(null, { status: 404 }) };`;
