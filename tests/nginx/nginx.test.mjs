import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { send } from '../runtimes/client.mjs';
import { open, rule, startSite, withToken } from '../runtimes/site.mjs';
import { verify } from '../runtimes/token.mjs';
import { startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import { startNginx } from './nginx.mjs';

// The real nginx asks the gateway with auth_request, configured as docs/decisions-api.md says.

const secret = 'a secret of thirty-two characters';
const session = { cookie: 'ory_kratos_session=ory_st_ada' };
const url = (path) => `http://app.example.com${path}`;

let site;
let standIn;
let nginx;

before(async () => {
  standIn = await startWhoamiStandIn();
  process.env.API_SECRET = secret;
  const at = (path, methods = ['GET', 'HEAD', 'POST']) => ({ match: { url: `http://app.example.com${path}`, methods } });
  site = await startSite({
    rules: [
      rule('page', { ...at('/page<.*>'), mutators: [{ handler: 'header' }] }),
      rule('token', { ...at('/token<.*>'), ...withToken }),
      rule('open', { ...at('/open<.*>'), ...open }),
      rule('reads', { ...at('/reads<.*>', ['GET']), ...open }),
      rule('barred', { ...at('/barred<.*>'), authorizer: { handler: 'deny' } }),
    ],
    whoami: standIn.origin,
    edge: { api: { secret: 'API_SECRET' } },
  });
  nginx = await startNginx({ api: site.api, upstream: site.upstream.origin, secret });
});
after(async () => {
  delete process.env.API_SECRET;
  await nginx?.stop();
  await site?.stop();
  await standIn?.stop();
});
beforeEach(() => site.upstream.take());

const ask = (path, options) => send(nginx.origin, url(path), options);

test('who is signed in gets the page, and the upstream is told who that is', async () => {
  const answer = await ask('/page/a%20b?c=1', { headers: { ...session, 'x-user-id': 'root' } });
  assert.equal(answer.status, 200, nginx.log());
  const received = site.upstream.one();
  assert.equal(received.target, '/page/a%20b?c=1');
  assert.equal(received.header('x-user-id'), 'ada');
});

test('a body goes to the upstream and not to the gateway', async () => {
  const body = 'x'.repeat(100_000);
  const answer = await ask('/page/echo', { method: 'POST', headers: session, body });
  assert.deepEqual([answer.status, answer.text.length], [200, body.length], nginx.log());
});

test('a minted token takes the place of what the client sent', async () => {
  assert.equal((await ask('/token', { headers: { ...session, authorization: 'Basic cm9vdA==' } })).status, 200);
  assert.equal((await verify(site, site.upstream.one())).sub, 'ada');
});

test('what a rule does not tell, a client does not tell either', async () => {
  assert.equal((await ask('/open', { headers: { 'x-user-id': 'root', authorization: 'Bearer forged' } })).status, 200);
  const received = site.upstream.one();
  assert.deepEqual([received.header('x-user-id'), received.header('authorization')], [undefined, undefined]);
});

test('who is not signed in is refused: a program with 401, a browser by the way to login and back', async () => {
  const program = await ask('/page', { headers: { accept: 'application/json' } });
  assert.deepEqual([program.status, program.json().error.code], [401, 401]);
  const browser = await ask('/page/a%20b?c=1&d=2', { headers: { accept: 'text/html,application/xhtml+xml' } });
  assert.equal(browser.status, 302, nginx.log());
  const location = new URL(browser.header('location'));
  assert.equal(location.searchParams.get('return_to'), url('/page/a%20b?c=1&d=2'));
  const posted = await ask('/page', { method: 'POST', headers: { accept: 'text/html' }, body: 'a=b' });
  assert.equal(posted.status, 401, 'a POST is not sent to login');
  assert.deepEqual(site.upstream.take(), []);
});

test('who may not is 403, and what nobody serves never reaches the upstream', async () => {
  assert.equal((await ask('/barred', { headers: session })).status, 403);
  // nginx knows no other refusal.
  assert.equal((await ask('/nobodys')).status, 500);
  assert.equal((await ask('/reads', { method: 'POST', body: '' })).status, 500, 'the method that counts is the client\'s');
  assert.deepEqual(site.upstream.take(), []);
});

test('a client cannot say which request is judged', async () => {
  for (const forged of [
    { 'x-forwarded-uri': '/open' },
    { 'x-forwarded-host': 'other.test' },
    { 'x-forwarded-method': 'GET' },
    { 'x-forwarded-uri': '/open', 'x-forwarded-method': 'GET', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'app.example.com' },
    { 'x-edgekeeper-secret': secret, 'x-forwarded-uri': '/open' },
    { 'x-original-uri': '/open', 'x-original-url': '/open', 'x-rewrite-url': '/open' },
  ]) {
    const answer = await ask('/page', { headers: { accept: 'application/json', ...forged } });
    assert.equal(answer.status, 401, JSON.stringify(forged));
  }
  assert.equal((await ask('/_decision')).status, 404);
  assert.equal((await ask('/_login')).status, 404);
  assert.deepEqual(site.upstream.take(), []);
});

test('no path is judged as one and served as another', async () => {
  for (const path of ['/open/../page', '/open/..%2Fpage', '/open/%2e%2e/page', '/open//page', '/open/..;/page', '/open/%252e%252e/page']) {
    const answer = await ask(path);
    assert.ok([400, 401, 500].includes(answer.status), `${path}: ${answer.status}`);
  }
  assert.deepEqual(site.upstream.take(), []);
});
