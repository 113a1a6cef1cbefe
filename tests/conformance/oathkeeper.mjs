import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { start } from '../../scripts/run/process.mjs';

/** How long it may take to read its rules. */
const seconds = 20;

/**
 * How to start the real Oathkeeper instead of the gateway: for the suite to be tested itself.
 * @param {string} binary
 * @returns {import('./run.mjs').Start}
 */
export function oathkeeperAt(binary) {
  return async ({ folder, config, apiPort, env, rules }) => {
    const gateway = start(binary, ['serve', '--config', config], {
      name: 'Oathkeeper',
      logFile: join(folder, 'oathkeeper.log'),
      cwd: dirname(config),
      env: { ...process.env, ...env, SQA_OPT_OUT: 'true' },
    });
    // It is ready when it has the first rule, and reads the others a moment later.
    const list = `http://127.0.0.1:${apiPort}/rules?limit=1000`;
    const deadline = Date.now() + seconds * 1000;
    await gateway.answers(list);
    while ((await (await fetch(list)).json()).length < rules) {
      if (Date.now() > deadline) throw new Error(`Oathkeeper does not have ${rules} rules after ${seconds} seconds`);
      await sleep(50);
    }
    return { ...gateway, settles: true, log: () => readFileSync(gateway.logFile, 'utf8') };
  };
}
