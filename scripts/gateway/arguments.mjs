import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Shown when the arguments are wrong. */
export const usage = `usage: scripts/serve --config FILE --listen ADDR [--api ADDR] [--edge FILE] [--root DIR]
                     [--runtime cloudflare] [--strict] [--state DIR]`;

const runtimes = ['cloudflare'];

/**
 * An address to listen on.
 * @typedef {{ host: string, port: number }} Address
 */

/**
 * What scripts/serve was asked for; paths are absolute.
 * @typedef {object} ServeArguments
 * @property {string} config
 * @property {string} [edge]
 * @property {string} [root] in which absolute `file://` paths of the configuration are looked up
 * @property {boolean} strict
 * @property {Address} listen
 * @property {Address} [api]
 * @property {string} [state] a folder that keeps keys over restarts; without one they live in memory
 */

/**
 * Reads the command line. Relative paths are relative to `cwd`.
 * @param {string[]} argv without the program's name
 * @param {string} cwd
 * @returns {ServeArguments}
 * @throws {Error} says which argument is wrong and what is allowed
 */
export function readArguments(argv, cwd) {
  const { values } = parseArgs({
    args: argv,
    allowPositionals: false,
    options: {
      config: { type: 'string' },
      edge: { type: 'string' },
      root: { type: 'string' },
      listen: { type: 'string' },
      api: { type: 'string' },
      runtime: { type: 'string', default: 'cloudflare' },
      state: { type: 'string' },
      strict: { type: 'boolean', default: false },
    },
  });
  for (const name of ['config', 'listen']) {
    if (values[name] === undefined) throw new Error(`--${name} is missing`);
  }
  if (!runtimes.includes(values.runtime)) {
    throw new Error(`--runtime ${values.runtime}: there is no such runtime here; allowed: ${runtimes.join(', ')}`);
  }
  const path = (value) => value && resolve(cwd, value);
  const config = path(values.config);
  const beside = join(dirname(config), 'edge.yml');
  return {
    config,
    edge: path(values.edge) ?? (existsSync(beside) ? beside : undefined),
    root: path(values.root),
    state: path(values.state),
    strict: values.strict,
    listen: readAddress('--listen', values.listen),
    api: values.api === undefined ? undefined : readAddress('--api', values.api),
  };
}

function readAddress(option, text) {
  const parts = /^(?<host>\[[0-9a-f:.]+\]|[^:[\]]*):(?<port>[0-9]{1,5})$/i.exec(text)?.groups;
  const port = Number(parts?.port);
  if (parts === undefined || port > 65535) {
    throw new Error(`${option} ${text}: this is not an address; write HOST:PORT, as in 127.0.0.1:4455`);
  }
  return { host: parts.host || '0.0.0.0', port };
}
