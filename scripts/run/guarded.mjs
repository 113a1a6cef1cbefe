import { spawn } from 'node:child_process';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A program that ends no later than this process, with everything that it has started.
 * @typedef {object} Guarded
 * @property {Promise<string>} ended settles when it is gone, with how it ended
 * @property {() => Promise<void>} stop ends it: SIGTERM, after a second SIGKILL
 */

/** How long a program may take to end, in milliseconds. */
const patience = 1000;

// Becomes the program, and leaves somebody behind who ends its whole group when this process is gone without a word.
const guard = 'exec 3<&0; { read -r _ <&3; kill -9 -$$; } >/dev/null 2>&1 & exec "$@" 3<&- </dev/null';

/**
 * Starts a program as the head of a process group of its own.
 * @param {string} command
 * @param {string[]} args
 * @param {{ name: string, env: Record<string, string | undefined>, cwd?: string, log: NodeJS.WritableStream }} options
 * @returns {Guarded}
 */
export function startGuarded(command, args, { name, env, cwd, log }) {
  const child = spawn('/bin/sh', ['-c', guard, 'sh', command, ...args], { cwd, env, stdio: 'pipe', detached: true });
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => log.write(chunk));

  let isOver = false;
  const signal = (which) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, which);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  };
  const killWithUs = () => signal('SIGKILL');
  process.once('exit', killWithUs);
  const ended = new Promise((resolve) => {
    const end = (reason) => {
      isOver = true;
      process.off('exit', killWithUs);
      resolve(reason);
    };
    child.once('error', (error) => end(`${name} could not be started: ${error.message}`));
    // Whoever is left of its group goes with it: a server that it had started, and the guard.
    child.once('exit', killWithUs);
    child.once('close', (code, sign) => end(`${name} ended with ${sign ?? `status ${code}`}`));
  });
  return {
    ended,
    async stop() {
      if (isOver) return;
      signal('SIGTERM');
      const killer = setTimeout(killWithUs, patience);
      await ended;
      clearTimeout(killer);
    },
  };
}

/**
 * Waits until a program listens. The address must have been free before.
 * @param {Guarded} program
 * @param {{ host: string, port: number }} address
 * @param {number} seconds how long that may take
 */
export async function listens(program, address, seconds) {
  let failure;
  program.ended.then((reason) => (failure = reason));
  const deadline = Date.now() + seconds * 1000;
  while (!(await accepts(address))) {
    if (failure === undefined && Date.now() > deadline) failure = `it does not listen after ${seconds} seconds`;
    if (failure !== undefined) throw new Error(failure);
    await sleep(20);
  }
  // Its last word may be just arriving.
  await sleep(0);
  if (failure !== undefined) throw new Error(failure);
}

function accepts({ host, port }) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: bare(host), port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/**
 * Fails with `ERR_ADDRESS_IN_USE` when somebody listens on an address already.
 * @param {{ host: string, port: number }} address
 */
export async function mustBeFree({ host, port }) {
  const probe = net.createServer();
  await new Promise((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(port, bare(host), () => probe.close(resolve));
  }).catch((error) => {
    if (error.code !== 'EADDRINUSE') throw error;
    throw Object.assign(new Error(`${host}:${port} is in use`), { code: 'ERR_ADDRESS_IN_USE' });
  });
}

/** A host without the brackets that an IPv6 address has in a URL. */
function bare(host) {
  return host.replace(/^\[|\]$/g, '');
}
