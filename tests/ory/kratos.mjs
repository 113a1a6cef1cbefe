import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { freePort } from '../../scripts/run/port.mjs';
import { start } from '../../scripts/run/process.mjs';
import { identitySchema, kratosConfig } from './kratos-config.mjs';

const run = promisify(execFile);
const installer = fileURLToPath(new URL('../../scripts/install/kratos', import.meta.url));

/**
 * @typedef {object} KratosOptions
 * @property {string} [publicOrigin] what a browser calls Kratos: the gateway's origin when it stands in front. Kratos' own by default
 * @property {string} [uiOrigin] where the sign-in pages are; `publicOrigin` by default
 * @property {string} [defaultReturn] where a flow without `return_to` ends; `/` of `uiOrigin` by default
 * @property {string[]} [allowedReturns] what `return_to` may start with; `uiOrigin` by default
 * @property {number} [publicPort] free ones are taken by default
 * @property {number} [adminPort]
 * @property {string} [sessionLifespan] a Go duration such as `3s`; a day by default
 * @property {boolean} [cacheable] whether whoami answers carry `Ory-Session-Cache-For`; no by default
 * @property {object} [config] Kratos configuration that is merged over all of this
 */

/**
 * A running Kratos.
 * @typedef {object} Kratos
 * @property {string} public origin of the public API on loopback
 * @property {string} admin origin of the admin API on loopback
 * @property {string} publicOrigin what a browser calls it
 * @property {number} pid
 * @property {Promise<string>} ended settles when it is gone, with how it ended
 * @property {() => string} log what it has logged since it was started, one JSON object a line
 * @property {(path: string) => Promise<number>} requestCount how many requests for a path it has answered since then, by its own metrics
 * @property {() => Promise<void>} kill ends it at once, with SIGKILL, and keeps its files
 * @property {() => Promise<void>} restart starts it again after that, on the same ports and the same database
 * @property {() => Promise<void>} stop ends it and removes its files
 */

/**
 * Boots the real Kratos on loopback with a database of its own.
 * @param {KratosOptions} [options]
 * @returns {Promise<Kratos>}
 */
export async function startKratos(options = {}) {
  const { stdout } = await run(installer, { maxBuffer: 1 << 26 });
  const binary = stdout.trim();
  const publicPort = options.publicPort ?? (await freePort());
  const adminPort = options.adminPort ?? (await freePort());
  const publicOrigin = options.publicOrigin ?? `http://127.0.0.1:${publicPort}`;
  const uiOrigin = options.uiOrigin ?? publicOrigin;

  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'edgekeeper-kratos-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);

  const schemaFile = join(folder, 'person.schema.json');
  writeFileSync(schemaFile, JSON.stringify(identitySchema));
  const dsn = sqlite(join(folder, 'kratos.sqlite'));
  const config = merge(
    kratosConfig({
      dsn,
      schemaFile,
      publicPort,
      adminPort,
      publicOrigin,
      uiOrigin,
      defaultReturn: options.defaultReturn ?? new URL('/', uiOrigin).href,
      allowedReturns: options.allowedReturns ?? [new URL('/', uiOrigin).href],
      sessionLifespan: options.sessionLifespan ?? '24h',
      cacheable: options.cacheable ?? false,
    }),
    options.config ?? {},
  );
  const configFile = join(folder, 'kratos.json');
  writeFileSync(configFile, JSON.stringify(config, null, 2));

  const env = { PATH: process.env.PATH, HOME: folder, SQA_OPT_OUT: 'true' };
  await run(binary, ['migrate', 'sql', '--yes', '-e'], {
    env: { ...env, DSN: `${dsn}&_journal_mode=WAL`, LOG_LEVEL: 'error' },
  });
  const origin = (port) => `http://127.0.0.1:${port}`;
  let server;
  const serve = async () => {
    server = start(binary, ['serve', '--dev', '-c', configFile], { name: 'Kratos', logFile: join(folder, 'kratos.log'), env });
    await server.answers(`${origin(adminPort)}/admin/health/ready`);
    await server.answers(`${origin(publicPort)}/health/ready`);
  };
  const stop = async () => {
    await server.stop();
    process.off('exit', remove);
    remove();
  };
  try {
    await serve();
  } catch (error) {
    await stop();
    throw error;
  }

  return {
    public: origin(publicPort),
    admin: origin(adminPort),
    publicOrigin,
    get pid() {
      return server.child.pid;
    },
    get ended() {
      return server.ended;
    },
    log: () => readFileSync(server.logFile, 'utf8'),
    requestCount: (path) => answered(origin(adminPort), path),
    async kill() {
      server.child.kill('SIGKILL');
      await server.ended;
    },
    restart: serve,
    stop,
  };
}

/**
 * An in-memory DSN answers 500 as soon as requests overlap; this one does not. `lock=false`: else the database
 * layer's own mutex and sqlite's write lock wait for each other. `_txlock=immediate`: else a transaction that
 * reads and then writes fails at once. The WAL mode itself is set once, by the migration.
 */
function sqlite(file) {
  return `sqlite://${file}?_fk=true&_busy_timeout=10000&_synchronous=OFF&_txlock=immediate&lock=false&max_conns=8&max_idle_conns=8`;
}

async function answered(admin, path) {
  const response = await fetch(`${admin}/admin/metrics/prometheus`);
  return (await response.text())
    .split('\n')
    .filter((line) => line.startsWith('http_requests_duration_seconds_count{') && line.includes(`endpoint="${path}"`))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

function merge(base, over) {
  const both = { ...base };
  for (const [key, value] of Object.entries(over)) {
    both[key] = isObject(value) && isObject(base[key]) ? merge(base[key], value) : value;
  }
  return both;
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
