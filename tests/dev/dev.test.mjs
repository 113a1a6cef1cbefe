// The page of `edgekeeper dev` in a browser, with decisions as the command itself explains them.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { launchChromium } from '../browser/chromium.mjs';

const root = resolve(import.meta.dirname, '../..');
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');

const config = `
access_rules: { repositories: ["file://./rules.json"] }
authenticators:
  noop: { enabled: true }
  cookie_session:
    enabled: true
    config: { check_session_url: "http://kratos.internal/sessions/whoami", preserve_path: true, extra_from: "@this", subject_from: identity.id, only: [ory_kratos_session] }
authorizers: { allow: { enabled: true } }
mutators:
  noop: { enabled: true }
  id_token: { enabled: true, config: { issuer_url: "https://gateway.example.com/", ttl: 60s } }
errors: { fallback: [json], handlers: { json: { enabled: true } } }
`;
const rule = (id, url, methods, authenticator, mutator) => ({
  id,
  match: { url, methods },
  authenticators: [{ handler: authenticator }],
  authorizer: { handler: 'allow' },
  mutators: [{ handler: mutator }],
  upstream: { url: 'http://web-svc:8080' },
});
const rules = [
  rule('web', 'https://app.example.com/orders<.*>', ['GET'], 'cookie_session', 'id_token'),
  rule('web-writes', 'https://app.example.com/orders<.*>', ['POST'], 'cookie_session', 'id_token'),
  rule('public', 'https://app.example.com/public<.*>', ['GET'], 'noop', 'noop'),
];
const ada = { active: true, expires_at: '2999-01-01T00:00:00Z', identity: { id: 'ada', traits: {} } };
const attack = '/public/<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';

let folder;
let log;
let browser;
const running = new Set();

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-dev-'));
  log = join(folder, 'gateway.log');
  writeFileSync(join(folder, 'oathkeeper.yml'), config);
  writeFileSync(join(folder, 'rules.json'), JSON.stringify(rules));
  writeFileSync(join(folder, 'ada.json'), JSON.stringify(ada));
  browser = await launchChromium();
});
after(async () => {
  await browser?.close();
  for (const child of running) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** A line of a gateway's log. */
const line = (members) => `${JSON.stringify({ msg: 'decision', method: 'GET', host: 'app.example.com', ms: 3, ...members })}\n`;

/** What the command explains of a request, as a gateway logs it. */
function explained(path, { signedIn = false, ...members } = {}) {
  const args = ['explain', 'GET', `https://app.example.com${encodeURI(path)}`, '--config', 'oathkeeper.yml', '--format', 'json'];
  if (signedIn) args.push('--session', 'ada.json');
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' });
  assert.equal(status, 0, stderr);
  const explanation = JSON.parse(stdout);
  const id = explanation.steps.find(({ step }) => step === 'rule')?.id;
  return line({ path, rule: id, status: explanation.outcome.status ?? 200, explanation, ...members });
}

/** Starts the command on the log, and opens its page. */
async function open(lines, { scheme = 'light', listen = '127.0.0.1:0' } = {}) {
  writeFileSync(log, lines);
  const { child, origin } = await start(listen);
  const page = await (await browser.newContext({ viewport: { width: 1200, height: 800 }, colorScheme: scheme })).newPage();
  page.setDefaultTimeout(15_000);
  const errors = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy|Trusted/i.test(message.text())) errors.push(message.text());
  });
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(origin);
  return { page, errors, requests, child, origin };
}

async function start(listen) {
  const child = spawn(command, ['dev', '--listen', listen, '--log', log], { stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(child);
  const said = createInterface({ input: child.stderr });
  const [origin] = await new Promise((done, failed) => {
    said.once('line', (text) => done(/http:\/\/\S+/.exec(text) ?? failed(new Error(text))));
  });
  return { child, origin };
}

const rows = (page) => page.locator('#rows tr:visible');
const texts = (row) => row.locator('td').allTextContents();

test('a decision is a row, and a click shows why it came to be', async () => {
  const { page, errors, requests, origin } = await open(explained('/orders/7', { signedIn: true, session: 'hit', us: 412 }) + explained('/orders/8', { us: 90, reason: 'no session' }));
  await rows(page).nth(1).waitFor();
  const [time, ...rest] = await texts(rows(page).nth(1));
  assert.match(time, /^\d\d:\d\d:\d\d\.\d{3}$/);
  assert.deepEqual(rest, ['allowed 200', 'GET', 'app.example.com', '/orders/7', 'web', 'hit', '412']);
  assert.equal((await texts(rows(page).nth(0)))[1], 'refused 401', 'the verdict is a word, and the latest is first');

  await rows(page).nth(1).click();
  const panel = page.locator('#panel');
  await panel.getByRole('heading', { name: 'allowed 200 GET app.example.com/orders/7' }).waitFor();
  const told = await panel.innerText();
  for (const wanted of ['https://app.example.com/orders<.*>', 'captured 1: /7', 'it is for POST', 'knows ada', '"sub": "ada"', '"alg":', 'decided in 412 µs']) {
    assert.ok(told.includes(wanted), `${wanted}: ${told}`);
  }
  const upstream = await panel.locator('.upstream').innerText();
  assert.match(upstream, /^GET http:\/\/web-svc:8080\/orders\/7\n/);
  assert.match(upstream, /authorization: Bearer \*\*\*/);

  await rows(page).nth(0).click();
  await panel.getByRole('heading', { name: 'refused 401' }).waitFor();
  assert.match(await panel.locator('.answer').innerText(), /^401\n/);
  assert.deepEqual(errors, []);
  assert.deepEqual(requests.filter((url) => !url.startsWith(origin) && !url.startsWith('data:')), [], 'nothing comes from elsewhere');
});

test('the keyboard reaches every decision', async () => {
  const { page } = await open([1, 2, 3].map((n) => explained(`/public/${n}`)).join(''));
  await rows(page).nth(2).waitFor();
  const chosen = () => page.locator('tr[aria-selected=true]').innerText();
  const heading = () => page.locator('#panel h2').innerText();
  await page.locator('#pause').focus();
  await page.keyboard.press('Tab');
  assert.match(await chosen(), /public\/3/, 'Tab goes to the list');
  await page.keyboard.press('ArrowDown');
  assert.match(await chosen(), /public\/2/);
  await page.keyboard.press('End');
  assert.match(await heading(), /public\/1/);
  await page.keyboard.press('Home');
  assert.match(await heading(), /public\/3/);
  await page.keyboard.press('/');
  await page.keyboard.type('public/2');
  assert.equal(await rows(page).count(), 1, 'a slash goes to the filter');
  await page.keyboard.press('Escape');
  await page.keyboard.press('p');
  assert.equal(await page.locator('#pause').getAttribute('aria-pressed'), 'true');
});

test('what a client has written is text', async () => {
  const hostile = line({ path: attack, rule: '<b>rule</b>', status: 200, us: 1, session: '<i>', reason: '<u>', verdict: '<s>', at: '<p>', explanation: { steps: [
    { step: 'rule', id: '<b>', pattern: attack, captures: [attack] }, { step: '__proto__', x: attack }, { step: 'constructor' }, { step: 'near_miss', differences: [{ differs: 'toString' }, null, 7] },
    { step: 'mutator', headers: 7, token: { header: attack, claims: [attack] } }, null, 7,
  ], outcome: { kind: 'answer', status: attack, headers: [null, { name: attack, value: attack }], body: attack } } });
  const { page, errors } = await open(hostile + explained(attack) + line({ path: '/x', status: 'y', explanation: 7 }) + line({ path: ['<b>'], status: null, explanation: { steps: 'x', outcome: null } }));
  await rows(page).nth(3).waitFor();
  assert.equal((await texts(rows(page).nth(2)))[4], attack);
  for (const n of [0, 1, 2, 3]) {
    await rows(page).nth(n).click();
    await page.locator('#panel h2').waitFor();
    assert.equal(await page.locator('tr[aria-selected=true]').count(), 1);
  }
  assert.ok((await page.locator('#panel').innerText()).includes(attack));
  assert.equal(await page.locator('img, #list b, #panel b, i, u, s, main script').count(), 0);
  assert.equal(await page.title(), 'edgekeeper dev');
  assert.deepEqual(errors, []);
});

test('a line without an explanation says how to get one', async () => {
  const { page } = await open(line({ path: '/public', rule: 'public', status: 200 }));
  await rows(page).first().click();
  const told = await page.locator('#panel').innerText();
  assert.match(told, /This line has none/);
  assert.match(told, /EXPLAIN=log/);
  assert.match(told, /npx wrangler dev --var EXPLAIN:log/);
});

test('the filter narrows the list and the counts, and pausing holds them', async () => {
  const lines = Array.from({ length: 100 }, (_, n) => line({ path: `/public/${n}`, rule: 'public', status: 200, us: n + 1 })).join('');
  const { page } = await open(lines + line({ path: '/orders', rule: 'web', status: 401, reason: 'no', us: 5000 }) + line({ path: '/health/alive', status: 200 }));
  await rows(page).nth(101).waitFor();
  const counts = async () => Object.fromEntries(await Promise.all(['allowed', 'refused', 'answered', 'p50', 'p99'].map(async (id) => [id, await page.locator(`#${id}`).innerText()])));
  assert.deepEqual(await counts(), { allowed: '100', refused: '1', answered: '1', p50: '51 µs', p99: '100 µs' });
  for (const [filter, expected] of [
    ['WEB', { allowed: '0', refused: '1', answered: '0', p50: '5000 µs', p99: '5000 µs' }],
    ['public app.example', { allowed: '100', refused: '0', answered: '0', p50: '50 µs', p99: '99 µs' }],
    ['nothing', { allowed: '0', refused: '0', answered: '0', p50: '–', p99: '–' }],
  ]) {
    await page.locator('#filter').fill(filter);
    assert.deepEqual(await counts(), expected, filter);
  }
  assert.match(await page.locator('#none').innerText(), /No decision has this/);
  await page.locator('#filter').fill('');
  await page.getByRole('button', { name: 'Pause' }).click();
  appendFileSync(log, line({ path: '/late', rule: 'public', status: 200 }));
  await page.getByText('paused, 1 more').waitFor();
  assert.equal(await page.getByText('/late').count(), 0);
  await page.getByRole('button', { name: 'Go on' }).click();
  assert.equal((await texts(rows(page).first()))[4], '/late');
});

test('a flood leaves the last thousand, and the page goes on when the command is started again', async () => {
  const many = (name) => Array.from({ length: 5_000 }, (_, n) => line({ path: `/${name}/${n}`, rule: 'public', status: 200, us: 5 })).join('');
  const { page, child, origin } = await open('');
  appendFileSync(log, many('first'));
  await page.getByText(/first.4999$/).waitFor();
  assert.equal(await page.locator('#rows tr').count(), 1000);
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  await gone;
  await page.getByText('not connected').waitFor();
  writeFileSync(log, many('second'));
  await start(new URL(origin).host);
  await page.getByText(/second.4999$/).waitFor();
  assert.equal(await page.locator('#rows tr').count(), 1000);
  assert.match(await page.locator('#state').innerText(), /^live/);
});

test('it is readable in light and in dark', async () => {
  const luminance = (colour) => {
    const [red, green, blue] = colour.match(/[\d.]+/g).map((part) => {
      const value = Number(part) / 255;
      return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  for (const scheme of ['light', 'dark']) {
    const { page } = await open(line({ path: '/a', rule: 'a', status: 200 }) + line({ path: '/b', reason: 'b', status: 401 }) + line({ path: '/c', status: 200 }), { scheme });
    await rows(page).nth(2).waitFor();
    const ground = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(luminance(ground) > 0.5, scheme === 'light');
    for (const verdict of ['allowed', 'refused', 'answered', 'host']) {
      const colour = await page.locator(`#rows td.${verdict}`).first().evaluate((cell) => getComputedStyle(cell).color);
      const [light, dark] = [luminance(colour), luminance(ground)].sort((a, b) => b - a);
      const contrast = (light + 0.05) / (dark + 0.05);
      assert.ok(contrast >= 4.5, `${verdict} in ${scheme}: ${contrast.toFixed(1)}`);
    }
  }
});
