import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startDemo } from '../../scripts/demo/stack.mjs';
import { freePort } from '../../scripts/run/port.mjs';
import { createIdentity } from '../ory/identity.mjs';
import { enrolTotp, loginBrowser } from '../ory/login.mjs';
import { totpCode } from '../ory/totp.mjs';
import { can, runtime } from '../runtimes/runtime.mjs';
import { launchChromium } from './chromium.mjs';

// EDGEKEEPER_SCREENSHOT=docs/protected-page.png keeps a picture of the protected page.
const screenshot = process.env.EDGEKEEPER_SCREENSHOT;

let folder;
let demo;
let browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-demo-'));
  demo = await startDemo({ folder, port: await freePort(), apiPort: await freePort(), runtime });
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

/** A table of the protected page; header names in lower case, since HTTP does not tell them apart. */
async function rows(page, table) {
  const cells = await page.locator(`#${table} tr`).evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
  return Object.fromEntries(cells.map(([name, value]) => [name.toLowerCase(), value]));
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

test('WebSockets, where the runtime has them, and event streams pass with the session, and do not without', async () => {
  const { page, errors } = await openPage();
  await page.goto(`${demo.origin}/`);
  assert.equal(await page.evaluate(echoed, `${demo.origin.replace('http', 'ws')}/ws`), 'closed');

  await page.goto(`${demo.origin}/protected`);
  await signIn(page, demo.user);
  await page.waitForURL(`${demo.origin}/protected`);
  assert.equal(await page.evaluate(echoed, `${demo.origin.replace('http', 'ws')}/ws`), can.webSockets ? 'echoed' : 'closed');
  assert.deepEqual(await page.evaluate(streamed, `${demo.origin}/sse`), ['event 1 of 3', 'event 2 of 3', 'event 3 of 3']);
  assert.deepEqual(errors, []);
});

/** Runs in the page: whether a short and a long message come back as they were. */
function echoed(url) {
  return new Promise((resolve) => {
    const sent = ['h\u00e9llo <b>', 'x'.repeat(70_000)];
    const back = [];
    const socket = new WebSocket(url);
    socket.onopen = () => sent.forEach((message) => socket.send(message));
    socket.onclose = () => resolve('closed');
    socket.onmessage = ({ data }) => {
      back.push(data);
      if (back.length === sent.length) resolve(back.every((message, n) => message === sent[n]) ? 'echoed' : 'changed');
    };
  });
}

/** Runs in the page: the three events. */
function streamed(url) {
  return new Promise((resolve, reject) => {
    const events = [];
    const source = new EventSource(url);
    source.onerror = () => reject(new Error(`the stream broke after ${events.length} events`));
    source.onmessage = ({ data }) => {
      events.push(data);
      if (events.length < 3) return;
      source.close();
      resolve(events);
    };
  });
}

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

test('someone with a second factor is asked for it before the page is shown', async () => {
  const person = { email: 'careful@example.com', password: 'four words close together' };
  await createIdentity(demo.kratos, person);
  const secret = await enrolTotp(await loginBrowser(demo.kratos.public, person));

  const { page, errors } = await openPage();
  await page.goto(`${demo.origin}/protected`);
  await signIn(page, person);
  await page.getByRole('heading', { name: 'Second factor' }).waitFor();
  await page.goto(`${demo.origin}/protected`);
  assert.equal(new URL(page.url()).pathname, '/login', 'one factor opens nothing');
  await page.getByLabel('Authentication code').fill(totpCode(secret));
  await page.getByRole('button', { name: /authenticator/i }).click();
  await page.waitForURL(`${demo.origin}/protected`);
  assert.equal((await rows(page, 'jwt-claims')).aal, 'aal2');
  assert.deepEqual(errors, []);
});
