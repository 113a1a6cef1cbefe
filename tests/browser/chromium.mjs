import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { chromium } from 'playwright-core';

const installer = fileURLToPath(new URL('../../scripts/install/chromium', import.meta.url));

/** As root there is no sandbox to be had; the rest keeps the browser from calling home. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/**
 * Starts a headless Chromium with a new profile.
 * @returns {Promise<import('playwright-core').Browser>}
 */
export async function launchChromium() {
  const { stdout } = await promisify(execFile)(installer, { maxBuffer: 1 << 26 });
  return chromium.launch({ executablePath: stdout.trim(), headless: true, args: flags });
}
