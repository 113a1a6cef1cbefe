// The picture of the page of `edgekeeper dev`: the demo with its real gateway and Kratos, somebody who signs in, and what the page
// shows of that.
//
//   node scripts/screenshot-dev.mjs [RUNTIME]     writes docs/dev.png; wasi by default
//
// Two runs are never the same picture. What is in it is held all the same: it carries the hash of the page's source.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { crc32 } from 'node:zlib';

const root = resolve(import.meta.dirname, '..');
const keyword = 'edgekeeper-page';
const signature = 8;

/** The picture in the documents. */
export const file = join(root, 'docs/dev.png');

/** The hash of the page that a picture taken now would be of. */
export const pageHash = () => createHash('sha256').update(readFileSync(join(root, 'edge/cli/src/dev/page.html'))).digest('hex');

/** Puts the page's hash into a PNG, as a text chunk behind its header. */
function marked(png, hash) {
  const content = Buffer.concat([Buffer.from('tEXt'), Buffer.from(`${keyword}\0${hash}`, 'latin1')]);
  const chunk = Buffer.alloc(content.length + 8);
  chunk.writeUInt32BE(content.length - 4, 0);
  content.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(content), content.length + 4);
  const headerEnd = signature + 12 + png.readUInt32BE(signature);
  return Buffer.concat([png.subarray(0, headerEnd), chunk, png.subarray(headerEnd)]);
}

/** The hash of the page that a picture is of; `undefined` where it does not say. */
export function hashIn(png) {
  for (let at = signature; at + 12 <= png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.latin1Slice(at + 4, at + 8) !== 'tEXt') continue;
    const [name, value] = png.latin1Slice(at + 8, at + 8 + png.readUInt32BE(at)).split('\0');
    if (name === keyword) return value;
  }
  return undefined;
}

async function take(runtime) {
  const { startDemo } = await import('./demo/stack.mjs');
  const { freePort } = await import('./run/port.mjs');
  const { launchChromium } = await import('../tests/browser/chromium.mjs');
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-dev-'));
  const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');
  process.env.EXPLAIN = 'log';
  process.env.SPIN_VARIABLE_EXPLAIN = 'log';
  let demo;
  let dev;
  let browser;
  try {
    demo = await startDemo({ folder, port: await freePort(), apiPort: await freePort(), runtime });
    dev = spawn(command, ['dev', '--listen', `127.0.0.1:${await freePort()}`, '--log', join(folder, 'gateway.log')], { stdio: ['ignore', 'ignore', 'pipe'] });
    const [origin] = await new Promise((done) => createInterface({ input: dev.stderr }).once('line', (line) => done(/http:\/\/\S+/.exec(line))));
    browser = await launchChromium();
    const visitor = await (await browser.newContext()).newPage();
    await visitor.goto(`${demo.origin}/protected`);
    await visitor.getByLabel(/e-mail|identifier/i).fill(demo.user.email);
    await visitor.getByLabel('Password').fill(demo.user.password);
    await visitor.getByRole('button', { name: 'Sign in' }).first().click();
    await visitor.waitForURL(`${demo.origin}/protected`);
    await visitor.reload();
    await visitor.goto(`${demo.origin}/protected/typo`);
    await fetch(`${demo.origin}/api/orders`);
    await fetch(`${demo.origin}/protected`, { method: 'DELETE' });
    await visitor.goto(`${demo.origin}/protected`);

    const page = await (await browser.newContext({ viewport: { width: 1400, height: 820 }, colorScheme: 'dark' })).newPage();
    await page.goto(origin);
    const row = page.locator('#rows tr', { hasText: 'allowed 200' }).filter({ hasText: '/protected' });
    await row.first().click();
    await page.locator('#panel .upstream').waitFor({ state: 'attached' });
    writeFileSync(file, marked(await page.screenshot(), pageHash()));
  } finally {
    await browser?.close();
    dev?.kill('SIGTERM');
    await demo?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.filename === process.argv[1]) {
  const [runtime = 'wasi'] = process.argv.slice(2);
  await take(runtime);
}
