import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { compilePolicy } from '../../scripts/gateway/policy.mjs';
import { answerTo, openRequest } from '../runtimes/client.mjs';
import { startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import { logged, reasons } from '../wasi/gateway.mjs';
import { application, reaching, startGateway } from './gateway.mjs';

// The example in examples/spin-middleware: the gateway before a component that knows nothing of sessions. Here the two
// are put together by the crate that Spin uses for it, so that any host can run them.

const root = fileURLToPath(new URL('../..', import.meta.url));
const target = process.env.CARGO_TARGET_DIR ?? join(root, 'target');
const example = join(root, 'examples/spin-middleware');

let folder;
let whoami;
let running;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-tests-spin-middleware-'));
  const app = cargo(join(example, 'app'), 'spin-app', '--release', '--target', 'wasm32-wasip2');
  const compose = cargo(join(root, 'tests/spin/compose'), 'spin-compose');
  const composed = join(folder, 'composed.wasm');
  run(join(compose, 'debug/compose'), [
    join(root, 'build/spin/middleware.wasm'),
    join(app, 'wasm32-wasip2/release/app_behind_edgekeeper.wasm'),
    composed,
  ]);

  cpSync(example, folder, { recursive: true, filter: (path) => !path.startsWith(join(example, 'app')) });
  const command = join(target, 'debug/edgekeeper');
  const policy = compilePolicy(command, { config: join(folder, 'oathkeeper.yml'), edge: join(folder, 'edge.yml') });
  whoami = await startWhoamiStandIn();
  const ours = policy.replaceAll('http://127.0.0.1:4433', whoami.origin);
  running = application(ours, reaching(whoami.origin), composed);
  running.gateway = await startGateway({ from: running.from });
});
after(async () => {
  await running?.gateway?.stop();
  running?.remove();
  await whoami?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Builds a crate that is a workspace of its own; the folder that holds what it made. */
function cargo(crate, name, ...args) {
  const folder = join(target, name);
  run('cargo', ['build', '--quiet', '--locked', ...args], { cwd: crate, env: { ...process.env, CARGO_TARGET_DIR: folder } });
  return folder;
}

function run(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2], ...options });
  if (error) throw error;
  assert.equal(status, 0, command);
}

const ask = (url, options) => running.gateway.ask(url, options);

test('who may pass reaches the component behind, which is told who it is', async () => {
  const guest = await ask('http://app.example.com/public/a%2Fb?q=1');
  assert.deepEqual([guest.status, guest.text], [200, 'GET /public/a%2Fb?q=1 for guest\n']);
  const cookie = { cookie: 'ory_kratos_session=ory_st_ada' };
  const ada = await ask('http://app.example.com/private/x', { headers: cookie });
  assert.deepEqual([ada.status, ada.text], [200, 'GET /private/x for ada\n']);
});

test('who may not pass is answered by the gateway', async () => {
  assert.equal((await ask('http://app.example.com/private/x')).status, 401);
  assert.equal((await ask('http://app.example.com/other')).status, 404);
  const forged = await ask('http://app.example.com/public/x', { headers: { 'x-user': 'ada' } });
  assert.equal(forged.text, 'GET /public/x for guest\n', 'who it is says the gateway alone');
});

test('a body that the component behind does not read does no harm', async () => {
  const cookie = { cookie: 'ory_kratos_session=ory_st_ada' };
  const request = openRequest(running.gateway.origin, 'http://app.example.com/private/x', { method: 'POST', headers: cookie });
  request.on('error', () => {});
  request.write('x'.repeat(100_000));
  const response = await answerTo(request);
  assert.equal(response.statusCode, 200);
  assert.equal(String(Buffer.concat(await response.toArray())), 'POST /private/x for ada\n');
  request.destroy();
  assert.equal((await ask('http://app.example.com/public/x')).status, 200);
  assert.doesNotMatch(running.gateway.log(), /trap:|wasm backtrace/);
});

test('the plain build has no next component, and says so', async () => {
  const policy = compilePolicy(join(target, 'debug/edgekeeper'), {
    config: join(folder, 'oathkeeper.yml'),
    edge: join(folder, 'edge.yml'),
  });
  const { from, remove } = application(policy);
  const gateway = await startGateway({ from });
  try {
    assert.equal((await gateway.ask('http://app.example.com/public/x')).status, 502);
    await logged(gateway, /"msg":"binding"/);
    assert.match(reasons(gateway, 'binding')[0], /`NEXT`, which Spin does not have.*`url` in edge\.yml.*middleware build/);
  } finally {
    await gateway.stop();
    remove();
  }
});
