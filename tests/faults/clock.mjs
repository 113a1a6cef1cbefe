import { execFile, spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const source = fileURLToPath(new URL('clock.c', import.meta.url));

/**
 * Why no clock can be moved here; `false` where one can.
 * @type {string | false}
 */
export const noClock =
  process.platform !== 'linux'
    ? 'only on Linux can a program be given another clock'
    : spawnSync('cc', ['--version'], { stdio: 'ignore' }).status !== 0 && 'there is no C compiler';

/**
 * A clock that starts as the machine's, for programs that are started with its environment.
 * @typedef {object} Clock
 * @property {Record<string, string>} env for whatever is to go by it
 * @property {() => number} now what it shows, in Unix milliseconds
 * @property {(seconds: number) => void} pass moves it forward; a timer or a timeout takes as long as ever
 * @property {() => void} stop removes its files
 */

/**
 * @returns {Promise<Clock>}
 */
export async function startClock() {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-clock-'));
  const library = join(folder, 'clock.so');
  await run('cc', ['-shared', '-fPIC', '-O2', '-Wall', '-Wextra', '-Werror', '-o', library, source]);
  const path = join(folder, 'milliseconds');
  const file = openSync(path, 'w');
  let ahead = 0;
  const set = () => {
    const value = Buffer.alloc(8);
    value.writeBigInt64LE(BigInt(ahead));
    writeSync(file, value, 0, value.length, 0);
  };
  set();
  return {
    env: { LD_PRELOAD: library, EDGEKEEPER_TEST_CLOCK: path },
    now: () => Date.now() + ahead,
    pass(seconds) {
      ahead += seconds * 1000;
      set();
    },
    stop() {
      closeSync(file);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
