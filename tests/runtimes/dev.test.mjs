import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';

import { freePort, isFree } from '../../scripts/run/port.mjs';
import { runtime } from './runtime.mjs';

// `edgekeeper dev` with a gateway that runs: what it shows is what that did.

const root = resolve(import.meta.dirname, '../..');
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');
const config = `
access_rules: { repositories: ["file://./rules.json"] }
authenticators: { noop: { enabled: true }, unauthorized: { enabled: true } }
authorizers: { allow: { enabled: true } }
mutators: { noop: { enabled: true }, header: { enabled: true, config: { headers: { X-Seen: "by the gateway" } } } }
errors: { fallback: [json], handlers: { json: { enabled: true } } }
`;

let folder;
let upstream;
let port;
let dev;
let origin;
let ended;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-dev-'));
  upstream = http.createServer((request, response) => response.end(request.headers['x-seen']));
  await new Promise((listening) => upstream.listen(0, '127.0.0.1', listening));
  const rule = (id, authenticator, path) => ({
    id,
    match: { url: `<https?>://127.0.0.1:<[0-9]+>/${path}`, methods: ['GET'] },
    authenticators: [{ handler: authenticator }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'header' }],
    upstream: { url: `http://127.0.0.1:${upstream.address().port}` },
  });
  writeFileSync(join(folder, 'oathkeeper.yml'), config);
  writeFileSync(join(folder, 'rules.json'), JSON.stringify([rule('open', 'noop', 'open<.*>'), rule('closed', 'unauthorized', 'closed')]));
  port = await freePort();
  const page = `127.0.0.1:${await freePort()}`;
  const serve = [join(root, 'scripts/serve'), '--runtime', runtime, '--config', join(folder, 'oathkeeper.yml'), '--listen', `127.0.0.1:${port}`];
  dev = spawn(command, ['dev', '--listen', page, '--', ...serve], { stdio: ['ignore', 'pipe', 'pipe'] });
  origin = `http://${page}`;
  ended = new Promise((done) => dev.once('exit', (code, signal) => done(code ?? signal)));
  const said = [];
  await new Promise((listening, failed) => {
    const lines = createInterface({ input: dev.stderr });
    lines.on('line', (line) => {
      said.push(line);
      if (line.includes('scripts/serve: listening on')) listening();
    });
    ended.then((code) => failed(new Error(`it ended with ${code}:\n${said.slice(-15).join('\n')}`)));
  });
});
after(async () => {
  dev?.kill('SIGKILL');
  upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The first event of the page that is what somebody waits for. */
async function event(wanted) {
  const leave = new AbortController();
  const { body } = await fetch(`${origin}/events`, { signal: AbortSignal.any([leave.signal, AbortSignal.timeout(20_000)]) });
  let text = '';
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const lines = text.split('\n');
    text = lines.pop();
    const found = lines.filter((line) => line.startsWith('data: {')).map((line) => JSON.parse(line.slice(6))).find(wanted);
    if (found) {
      leave.abort();
      return found;
    }
  }
  throw new Error('the events ended');
}

test('a request that goes on is a line in the terminal and an event with its explanation', async () => {
  const printed = new Promise((done) => createInterface({ input: dev.stdout }).on('line', (line) => line.includes('/open/a') && done(line)));
  const answer = await fetch(`http://127.0.0.1:${port}/open/a?token=SECRET-SECRET`, { headers: { cookie: 'a=SECRET-SECRET', authorization: 'Bearer SECRET-SECRET' } });
  assert.equal(await answer.text(), 'by the gateway');
  const shown = await event(({ path }) => path === '/open/a');
  assert.equal(shown.verdict, 'allowed');
  assert.equal(shown.status, 200);
  assert.equal(shown.rule, 'open');
  assert.ok(Number.isInteger(shown.us), JSON.stringify(shown));
  const steps = shown.explanation.steps.map(({ step }) => step);
  for (const step of ['request', 'rule', 'authenticator', 'authorizer', 'mutator']) assert.ok(steps.includes(step), `${step}: ${steps}`);
  assert.equal(shown.explanation.outcome.kind, 'forward');
  assert.ok(!JSON.stringify(shown).includes('SECRET'), JSON.stringify(shown));
  assert.match(await printed, /^\d\d:\d\d:\d\dZ {2}allowed {2}200 .*GET {5}127\.0\.0\.1:\d+\/open\/a {2}open$/);
});

test('a refused request is one, too', async () => {
  assert.equal((await fetch(`http://127.0.0.1:${port}/closed`)).status, 401);
  const shown = await event(({ path }) => path === '/closed');
  assert.deepEqual([shown.verdict, shown.status, shown.rule], ['refused', 401, 'closed']);
  assert.ok(shown.explanation.steps.some(({ step, verdict }) => step === 'authenticator' && verdict === 'refused'));
});

test('what was recorded becomes tests that pass', async () => {
  const events = [await event(({ path }) => path === '/open/a'), await event(({ path }) => path === '/closed')];
  const log = join(folder, 'gateway.log');
  writeFileSync(log, events.map((line) => JSON.stringify(line)).join('\n'));
  const run = (...args) =>
    new Promise((done) => {
      const child = spawn(command, ['test', ...args, '--config', 'oathkeeper.yml'], { cwd: folder, stdio: 'ignore' });
      child.once('exit', done);
    });
  assert.equal(await run('--record', log), 0);
  const written = readFileSync(join(folder, 'edgekeeper.test.yml'), 'utf8');
  assert.equal(written.match(/- request:/g)?.length, 2, written);
  assert.equal(await run(), 0, written);
});

test('when it is told to end, the gateway ends with it', async () => {
  dev.kill('SIGINT');
  // Miniflare hears of Ctrl-C, too, and can be the first.
  const code = await ended;
  assert.ok([0, 130].includes(code), `it ended with ${code}`);
  assert.ok(await isFree(port));
});
