import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startDemo } from '../../scripts/demo/stack.mjs';
import { freePort } from '../../scripts/run/port.mjs';
import { launchChromium } from './chromium.mjs';

// EDGEKEEPER_SCREENSHOT=docs/protected-page.png keeps a picture of the protected page.
const screenshot = process.env.EDGEKEEPER_SCREENSHOT;

let folder;
let demo;
let browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-demo-'));
  demo = await startDemo({ folder, port: await freePort() });
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A page that fails the test when the browser reports an error of ours. */
async function openPage() {
  const page = await (await browser.newContext({ viewport: { width: 900, height: 900 } })).newPage();
  page.setDefaultTimeout(15_000);
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && /Content Security Policy/i.test(message.text())) errors.push(message.text());
  });
  return { page, errors };
}

async function signIn(page, { email, password }) {
  await page.getByLabel(/e-mail|identifier/i).fill(email);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Sign in' }).first().click();
}

async function rows(page, table) {
  const cells = await page.locator(`#${table} tr`).evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  return Object.fromEntries(cells);
}

test('a browser is sent to sign in, comes back to the page it asked for, and the upstream has its token', async () => {
  const { page, errors } = await openPage();
  await page.goto(`${demo.origin}/protected?from=test`);
  assert.equal(new URL(page.url()).pathname, '/login', 'without a session the protected page leads to the login page');

  await signIn(page, demo.user);
  await page.waitForURL(`${demo.origin}/protected?from=test`);

  const header = await rows(page, 'jwt-header');
  assert.match(header.alg, /^(EdDSA|ES256|RS256)$/);
  assert.ok(header.kid, 'the token names its key');
  const claims = await rows(page, 'jwt-claims');
  assert.equal(claims.sub, demo.user.id);
  assert.equal(claims.email, demo.user.email);
  assert.equal(claims.iss, `${demo.origin}/`);
  assert.equal((await rows(page, 'identity'))['x-user-id'], demo.user.id);
  if (screenshot) await page.screenshot({ path: screenshot });

  await page.getByRole('link', { name: 'Sign out' }).click();
  await page.waitForURL(`${demo.origin}/`);
  await page.goto(`${demo.origin}/protected`);
  assert.equal(new URL(page.url()).pathname, '/login', 'after signing out the protected page asks again');
  assert.deepEqual(errors, []);
});

test('a wrong password stays on the login page and says so', async () => {
  const { page } = await openPage();
  await page.goto(`${demo.origin}/protected`);
  await signIn(page, { ...demo.user, password: 'not the password' });
  await page.getByText('The provided credentials are invalid').waitFor();
  assert.equal(new URL(page.url()).pathname, '/login');
});

test('someone new creates an account on the way and comes back with a token of their own', async () => {
  const { page, errors } = await openPage();
  const email = 'new@example.com';
  await page.goto(`${demo.origin}/protected`);
  await page.getByRole('link', { name: /Create one/ }).click();
  await page.getByLabel('E-mail').fill(email);
  await page.getByRole('button', { name: /sign up/i }).first().click();
  await page.getByLabel('Password').fill('three words together');
  await page.getByRole('button', { name: /sign up/i }).first().click();
  await page.waitForURL(`${demo.origin}/protected`);
  assert.equal((await rows(page, 'jwt-claims')).email, email);
  assert.deepEqual(errors, []);
});
