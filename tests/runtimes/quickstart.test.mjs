import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';

import { freePort } from '../../scripts/run/port.mjs';
import { CookieJar } from '../ory/cookie-jar.mjs';
import { credentials, read, submitFlow } from '../ory/flow.mjs';
import { createIdentity } from '../ory/identity.mjs';
import { startKratos } from '../ory/kratos.mjs';
import { send } from './client.mjs';
import { startRuntime } from './runtime.mjs';
import { fetchKeys, tokenOf } from './token.mjs';
import { startUpstream } from './upstream.mjs';

// Kratos' own quickstart for Oathkeeper: its three files, as they lie in Kratos' Go module, and an edge.yml that says where the
// two hosts are that they name. The self-service pages are a stand-in: an upstream that writes down what it is told.

/** The address that the files name. */
const port = 4455;
const origin = `http://127.0.0.1:${port}`;
const kratosPath = '/.ory/kratos/public';
const ada = { email: 'ada@example.com', password: 'correct horse battery' };

let folder;
let kratos;
let pages;
let gateway;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-quickstart-'));
  pages = await startUpstream();
  kratos = await startKratos({
    publicOrigin: origin,
    config: { serve: { public: { base_url: `${origin}${kratosPath}/` } } },
  });
  ada.id = (await createIdentity(kratos, ada)).id;
  const root = join(folder, 'root');
  mkdirSync(join(root, 'etc/config'), { recursive: true });
  symlinkSync(quickstart(), join(root, 'etc/config/oathkeeper'));
  const edge = join(folder, 'edge.yml');
  const upstreams = { 'http://kratos:4433': kratos.public, 'http://kratos-selfservice-ui-node:4435': pages.origin };
  writeFileSync(edge, JSON.stringify({ upstreams, keys: { source: 'jwks_url' } }));
  gateway = await startRuntime({
    folder,
    root,
    config: join(root, 'etc/config/oathkeeper/oathkeeper.yml'),
    edge,
    port,
    apiPort: await freePort(),
  });
});
after(async () => {
  await gateway?.stop();
  await kratos?.stop();
  await pages?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The folder of the files in the Go module that our Kratos is built from. */
function quickstart() {
  const cwd = fileURLToPath(new URL('../ory/kratos', import.meta.url));
  const found = execFileSync('go', ['list', '-m', '-f', '{{ .Dir }}', 'github.com/ory/kratos'], { cwd, encoding: 'utf8' });
  return join(found.trim(), 'contrib/quickstart/oathkeeper');
}

function visit(path, headers = {}) {
  return send(origin, `${origin}${path}`, { headers: { accept: 'text/html', ...headers } });
}

/** Signs in through the gateway, under the path that the quickstart gives to Kratos. */
async function logIn() {
  const agent = { origin, jar: new CookieJar() };
  const started = await fetch(`${origin}${kratosPath}/self-service/login/browser`, {
    headers: credentials(agent),
    redirect: 'manual',
  });
  const flow = await read(agent, started, 'starting login');
  await submitFlow(agent, flow, { method: 'password', identifier: ada.email, password: ada.password });
  return agent;
}

test('the public pages are there without a session', async () => {
  for (const path of ['/welcome', '/login', '/health/alive', '/theme/main.css']) {
    assert.equal((await visit(path)).status, 200, path);
    assert.equal(pages.one().header('authorization'), undefined, 'a guest has no token');
  }
  assert.equal((await visit('/unknown')).status, 404);
});

test('a protected page leads a browser without a session to the login page', async () => {
  for (const path of ['/sessions', '/settings']) {
    const answer = await visit(path);
    assert.equal(answer.status, 302);
    assert.match(answer.header('location'), /^http:\/\/127\.0\.0\.1:4455\/login/);
  }
  assert.deepEqual(pages.take(), []);
});

test('after login it is there, and its server gets a token that the file\'s own key has signed', async () => {
  const agent = await logIn();
  pages.take();
  const answer = await visit('/sessions', { cookie: agent.jar.header });
  assert.equal(answer.status, 200, answer.text);
  const token = tokenOf(pages.one());

  const file = JSON.parse(readFileSync(join(quickstart(), 'id_token.jwks.json'), 'utf8'));
  const { kid, alg } = decodeProtectedHeader(token);
  assert.deepEqual({ kid, alg }, { kid: file.keys[0].kid, alg: 'RS256' });
  for (const at of [origin, gateway.api]) {
    const published = await fetchKeys(at);
    const key = published.keys.find((each) => each.kid === kid);
    for (const part of ['d', 'p', 'q', 'dp', 'dq', 'qi']) assert.equal(key[part], undefined, `${part} is private`);
    const { payload } = await jwtVerify(token, createLocalJWKSet(published), { issuer: `${origin}/`, algorithms: ['RS256'] });
    assert.equal(payload.sub, ada.id);
    assert.equal(payload.session.identity.traits.email, ada.email);
  }
});
