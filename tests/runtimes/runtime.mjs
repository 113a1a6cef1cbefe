import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { freePort } from '../../scripts/run/port.mjs';
import { listens } from '../../scripts/run/guarded.mjs';
import { lastLines, start } from '../../scripts/run/process.mjs';

/** The runtime that this run of the suite is about, one of those that scripts/serve knows. */
export const runtime = process.env.EDGEKEEPER_RUNTIME ?? 'cloudflare';

/**
 * What a runtime forces, and the gateway cannot make up for; docs/runtimes.md has the same as a table. Whatever is not
 * here is the same on all of them.
 * @typedef {object} Abilities
 * @property {boolean} webSockets a WebSocket passes
 * @property {boolean} setsHost the upstream can see the client's `Host`
 * @property {boolean} seesConnection the gateway sees `Connection`, and so which headers it names
 * @property {boolean} oneInstance requests at the same moment are in one instance, which mints one token for a session
 * @property {boolean} asksOnce a burst over many instances is one question to Kratos, never two
 * @property {boolean} breaksChunks an answer without a length that breaks off upstream is broken for the client, too
 * @property {boolean} noticesLeaving the upstream's connection is closed when a client leaves an answer that is silent
 * @property {boolean} startsFresh it can be told to use a new instance for every request
 */
const component = {
  webSockets: false,
  setsHost: false,
  seesConnection: false,
  oneInstance: false,
  asksOnce: true,
  breaksChunks: true,
  noticesLeaving: true,
  startsFresh: true,
};

/** @type {Abilities} */
export const can = {
  cloudflare: {
    webSockets: true,
    setsHost: true,
    seesConnection: true,
    oneInstance: true,
    asksOnce: true,
    breaksChunks: false,
    noticesLeaving: false,
    startsFresh: false,
  },
  // Its stores cannot add an entry in one step.
  spin: { ...component, asksOnce: false },
  wasi: component,
}[runtime];

const serve = fileURLToPath(new URL('../../scripts/serve', import.meta.url));

/** How long a start may take: scripts/serve builds first when nobody has, which is minutes on a small machine. */
const startSeconds = 600;

/**
 * The gateway on a runtime, as a process of its own. The tests know it by its two addresses and its log alone.
 * @typedef {object} RunningGateway
 * @property {string} origin of the proxy listener
 * @property {string} api origin of the API listener
 * @property {number} pid
 * @property {() => string} log everything it has written
 * @property {Promise<string>} ended settles when it is gone, with how it ended
 * @property {() => Promise<void>} stop sends SIGTERM
 */

/**
 * Ports for a gateway that is to be started, so that its configuration can name them.
 * @returns {Promise<{ port: number, apiPort: number }>}
 */
export async function choosePorts() {
  return { port: await freePort(), apiPort: await freePort() };
}

/**
 * Starts the gateway on the runtime that is tested; resolves when it answers.
 * @param {object} options
 * @param {string} options.folder for its log
 * @param {string} options.config
 * @param {string} options.edge
 * @param {number} options.port
 * @param {number} options.apiPort
 * @param {string} [options.root] where absolute `file://` paths of the configuration are looked up
 * @param {boolean} [options.strict]
 * @param {string} [options.state] a folder that keeps the signing keys
 * @param {string} [options.keysSecret]
 * @param {Record<string, string>} [options.env] more for its environment
 * @param {boolean} [options.fresh] a new instance for every request, on a runtime that can be told so
 * @returns {Promise<RunningGateway>}
 */
export async function startRuntime({ folder, config, edge, port, apiPort, root, strict = false, state, keysSecret, env = {}, fresh = false }) {
  const args = ['--runtime', runtime, '--config', config, '--edge', edge];
  args.push('--listen', `127.0.0.1:${port}`, '--api', `127.0.0.1:${apiPort}`);
  if (root) args.push('--root', root);
  if (strict) args.push('--strict');
  if (state) args.push('--state', state);
  if (fresh) args.push('--max-instance-reuse-count', '1');
  const gateway = start(serve, args, {
    name: `the gateway on ${runtime}`,
    logFile: join(folder, 'gateway.log'),
    cwd: folder,
    env: { ...process.env, ...env, ...(keysSecret === undefined ? {} : { KEYS_SECRET: keysSecret }) },
  });
  const api = `http://127.0.0.1:${apiPort}`;
  try {
    // Two listeners may be two processes; the proxy has no path of its own, so any answer will do.
    await gateway.answers(`${api}/health/ready`, startSeconds);
    await listens(gateway, { host: '127.0.0.1', port }, startSeconds);
  } catch (error) {
    await gateway.stop();
    const last = lastLines(gateway.logFile);
    throw error.message.includes(last) ? error : new Error(`${error.message}. Its last lines:\n${last}`, { cause: error });
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    api,
    pid: gateway.child.pid,
    log: () => readFileSync(gateway.logFile, 'utf8'),
    ended: gateway.ended,
    stop: gateway.stop,
  };
}
