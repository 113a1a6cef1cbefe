import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * A server of ours that runs beside this process and ends no later than it.
 * @typedef {object} Running
 * @property {import('node:child_process').ChildProcess} child
 * @property {string} logFile where its stdout and stderr go
 * @property {Promise<string>} ended settles when it is gone, with how it ended
 * @property {() => Promise<void>} stop ends it: SIGTERM, after five seconds SIGKILL
 * @property {(url: string, seconds?: number) => Promise<void>} answers waits until the URL gets a good answer (below 400)
 */

/** How long a server that listens already may go on answering with errors. */
const settleSeconds = 10;

/**
 * Starts a program with its output in a file.
 * @param {string} command
 * @param {string[]} args
 * @param {{ name: string, logFile: string, cwd?: string, env?: Record<string, string> }} options
 * @returns {Running}
 */
export function start(command, args, { name, logFile, cwd, env = process.env }) {
  const log = openSync(logFile, 'w');
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', log, log] });
  closeSync(log);

  let failure = null;
  const ended = new Promise((resolve) => {
    child.once('error', (error) => resolve((failure = `${name} could not be started: ${error.message}`)));
    child.once('exit', (code, signal) => resolve((failure = `${name} ended with ${signal ?? `status ${code}`}`)));
  });
  const killWithUs = () => child.kill('SIGKILL');
  process.once('exit', killWithUs);
  ended.then(() => process.off('exit', killWithUs));

  return {
    child,
    logFile,
    ended,
    async answers(url, seconds = 30) {
      let deadline = Date.now() + seconds * 1000;
      let status;
      while (failure === null && Date.now() < deadline) {
        const before = status;
        status = await statusOf(url);
        if (status < 400) return;
        if (status && !before) deadline = Math.min(deadline, Date.now() + settleSeconds * 1000);
        await sleep(50);
      }
      const answer = status ? `answers ${status}` : 'does not answer';
      throw new Error(`${failure ?? `${name} ${answer} at ${url}`}. Its last lines (${logFile}):\n${lastLines(logFile)}`);
    },
    async stop() {
      if (failure !== null) return;
      child.kill('SIGTERM');
      const killer = setTimeout(killWithUs, 5000);
      await ended;
      clearTimeout(killer);
    },
  };
}

/** The status of the answer, `undefined` when there is none. */
async function statusOf(url) {
  try {
    const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    return response.status;
  } catch {
    return undefined;
  }
}

/** The end of a log, for an error that speaks of it. */
export function lastLines(file) {
  return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
}
