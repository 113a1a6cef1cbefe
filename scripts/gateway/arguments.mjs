import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** Shown when the arguments are wrong. */
export const usage = `usage: scripts/serve --config FILE --listen ADDR [--api ADDR] [--edge FILE] [--root DIR]
                     [--runtime cloudflare|spin|wasi] [--strict] [--state DIR]
       with --runtime spin or wasi:
                     [--max-instance-reuse-count N]
       with --runtime spin, as \`spin up\` has them:
                     [--spin-bin PATH] [--from PATH] [--runtime-config-file FILE] [--variable NAME=VALUE]...`;

/** The runtimes that the gateway is built for. */
export const runtimes = ['cloudflare', 'spin', 'wasi'];

/** Flags that not every runtime has. */
const only = {
  'spin-bin': ['spin'],
  from: ['spin'],
  'runtime-config-file': ['spin'],
  variable: ['spin'],
  'max-instance-reuse-count': ['spin', 'wasi'],
};

/**
 * An address to listen on.
 * @typedef {{ host: string, port: number }} Address
 */

/**
 * What scripts/serve was asked for; paths are absolute.
 * @typedef {object} ServeArguments
 * @property {'cloudflare' | 'spin' | 'wasi'} runtime
 * @property {string} [config] missing only with `from`
 * @property {string} [edge]
 * @property {string} [root] in which absolute `file://` paths of the configuration are looked up
 * @property {boolean} strict
 * @property {Address} listen
 * @property {Address} [api]
 * @property {string} [state] a folder that keeps the key-value store over restarts; without one it ends with the gateway
 * @property {string} [spinBin] the `spin` to run
 * @property {string} [from] a Spin application to run as it is, instead of one made from `config`
 * @property {string} [runtimeConfigFile] Spin's own configuration: where its key-value stores are
 * @property {string[]} variables `NAME=VALUE` for Spin
 * @property {number} [reuse] how many requests one instance serves; 1 is a fresh one for each
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
      'spin-bin': { type: 'string' },
      from: { type: 'string' },
      'runtime-config-file': { type: 'string' },
      variable: { type: 'string', multiple: true },
      'max-instance-reuse-count': { type: 'string' },
    },
  });
  for (const name of values.from === undefined ? ['config', 'listen'] : ['listen']) {
    if (values[name] === undefined) throw new Error(`--${name} is missing`);
  }
  if (!runtimes.includes(values.runtime)) {
    throw new Error(`--runtime ${values.runtime}: there is no such runtime here; allowed: ${runtimes.join(', ')}`);
  }
  for (const [name, having] of Object.entries(only)) {
    if (values[name] !== undefined && !having.includes(values.runtime)) {
      throw new Error(`--${name} is for --runtime ${having.join(' or ')}, this is --runtime ${values.runtime}`);
    }
  }
  const reuse = values['max-instance-reuse-count'];
  if (reuse !== undefined && !/^[1-9][0-9]{0,5}$/.test(reuse)) {
    throw new Error(`--max-instance-reuse-count ${reuse}: write how many requests an instance serves, from 1 on`);
  }
  for (const name of ['config', 'edge', 'root', 'strict']) {
    if (values.from !== undefined && values[name]) {
      throw new Error(`--${name} and --from: an application that is there already has its policy; leave one of the two out`);
    }
  }
  for (const variable of values.variable ?? []) {
    if (!/^[a-z][a-z0-9_]*=/.test(variable)) {
      throw new Error(`--variable ${variable.split('=')[0]}: write NAME=VALUE, with a name in lower case as in spin.toml`);
    }
  }
  const path = (value) => value && resolve(cwd, value);
  const config = path(values.config);
  const beside = config && join(dirname(config), 'edge.yml');
  return {
    runtime: values.runtime,
    config,
    edge: path(values.edge) ?? (beside && existsSync(beside) ? beside : undefined),
    root: path(values.root),
    state: path(values.state),
    strict: values.strict,
    // A name without a slash is looked up on the PATH, as a shell does.
    spinBin: values['spin-bin']?.includes('/') ? path(values['spin-bin']) : values['spin-bin'],
    from: path(values.from),
    runtimeConfigFile: path(values['runtime-config-file']),
    variables: values.variable ?? [],
    reuse: reuse && Number(reuse),
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
