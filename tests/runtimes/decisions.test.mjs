import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { send } from './client.mjs';
import { open, rule, startSite, withToken } from './site.mjs';
import { verify } from './token.mjs';
import { startWhoamiStandIn } from './whoami-stand-in.mjs';

// Another proxy asks whether a request may pass. The requests are those that nginx, Traefik and Envoy send.

const secret = 'a secret of thirty-two characters';
const session = { cookie: 'ory_kratos_session=ory_st_ada' };

let site;
let standIn;

before(async () => {
  standIn = await startWhoamiStandIn();
  process.env.API_SECRET = secret;
  site = await startSite({
    rules: [
      rule('app', { mutators: [{ handler: 'header' }] }),
      rule('token', withToken),
      rule('open', open),
      rule('reads', { ...open, match: { url: 'http://reads.test/<.*>', methods: ['GET'] } }),
      rule('barred', { authorizer: { handler: 'deny' } }),
    ],
    whoami: standIn.origin,
    edge: { api: { trust_forwarded_headers: true, secret: 'API_SECRET', hosts: ['api.example.com'] } },
    serve: { api: { cors: { enabled: true, allowed_origins: ['https://page.example.com'] } } },
  });
});
after(async () => {
  delete process.env.API_SECRET;
  await site?.stop();
  await standIn?.stop();
});
beforeEach(() => site.upstream.take());

/** As Traefik's ForwardAuth: a GET of its own, the client's headers, and its own four in place of the client's. */
function traefik(method, url, headers = {}, origin = site.api) {
  const [, proto, host, uri] = /^(https?):\/\/([^/]+)(\/.*)$/.exec(url);
  return send(origin, 'http://edgekeeper:4456/decisions', {
    headers: {
      'user-agent': 'Mozilla/5.0',
      'accept-encoding': 'gzip',
      ...headers,
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-host': host,
      'x-forwarded-method': method,
      'x-forwarded-proto': proto,
      'x-forwarded-server': 'traefik-0',
      'x-forwarded-uri': uri,
    },
  });
}

/** As Envoy's ext_authz over HTTP: the request's own method, host and path behind the prefix, without its body. */
function envoy(method, url, headers = {}) {
  const [, proto, host, uri] = /^(https?):\/\/([^/]+)(\/.*)$/.exec(url);
  return send(site.api, `http://${host}/decisions${uri}`, {
    method,
    headers: {
      'content-length': '0',
      'x-envoy-internal': 'true',
      'x-forwarded-for': '203.0.113.7',
      'x-forwarded-proto': proto,
      'x-envoy-expected-rq-timeout-ms': '5000',
      ...headers,
    },
  });
}

for (const [name, ask] of [['Traefik', traefik], ['Envoy', envoy]]) {
  test(`${name}: who is signed in may pass, and the upstream is told who that is`, async () => {
    const answer = await ask('POST', 'http://app.test/x?a=%2F', { ...session, 'x-user-id': 'root' });
    assert.deepEqual([answer.status, answer.text], [200, '']);
    assert.equal(answer.header('x-user-id'), 'ada');
    assert.equal(answer.header('cache-control'), 'no-store');
    assert.equal(answer.header('cookie'), undefined);
    assert.deepEqual(site.upstream.take(), [], 'the upstream is the proxy\'s to ask');
  });

  test(`${name}: a token is minted`, async () => {
    const answer = await ask('GET', 'http://token.test/', session);
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await verify(site, answer)).sub, 'ada');
  });

  test(`${name}: who may not pass is told so`, async () => {
    assert.equal((await ask('GET', 'http://app.test/')).status, 401);
    assert.equal((await ask('GET', 'http://barred.test/', session)).status, 403);
    assert.equal((await ask('GET', 'http://nobody.test/')).status, 404);
    assert.equal((await ask('DELETE', 'http://reads.test/')).status, 404);
  });

  test(`${name}: a browser is sent to login, and back to where it was`, async () => {
    const answer = await ask('GET', 'http://app.test/a%20b?c=1&d', { accept: 'text/html' });
    assert.equal(answer.status, 302);
    assert.equal(new URL(answer.header('location')).searchParams.get('return_to'), 'http://app.test/a%20b?c=1&d');
  });

  test(`${name}: a path that would be served as another is refused`, async () => {
    // Not the plain ones: a runtime may resolve `/../` before the gateway sees it.
    for (const path of ['/public/..%2Fadmin', '/public/..;/admin', '/public//admin', '/a%00']) {
      assert.equal((await ask('GET', `http://open.test${path}`)).status, 400, path);
    }
    for (const path of ['/', '/a/', '/a%2Fb', '/a%20b']) {
      assert.equal((await ask('GET', `http://open.test${path}`)).status, 200, path);
    }
  });
}

test('what a client forges through Envoy counts for nothing', async () => {
  for (const forged of [{ 'x-forwarded-method': 'GET' }, { 'x-forwarded-host': 'open.test' }]) {
    assert.equal((await envoy('DELETE', 'http://reads.test/', forged)).status, 404);
  }
  assert.equal((await envoy('GET', 'http://app.test/', { 'x-forwarded-uri': '/' })).status, 400);
});

test('a proxy that describes half of a request is refused', async () => {
  const whole = { 'x-forwarded-method': 'GET', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'open.test', 'x-forwarded-uri': '/' };
  assert.equal((await send(site.api, 'http://g.test/decisions', { headers: whole })).status, 200);
  for (const name of Object.keys(whole)) {
    const { [name]: _, ...rest } = whole;
    assert.equal((await send(site.api, 'http://g.test/decisions', { headers: rest })).status, 400, name);
  }
});

test('on a public host only the secret is believed', async () => {
  const ask = (headers) =>
    send(site.origin, 'http://api.example.com/decisions', {
      headers: {
        'x-forwarded-method': 'GET', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'token.test', 'x-forwarded-uri': '/',
        ...session, ...headers,
      },
    });
  assert.equal((await ask({ 'x-edgekeeper-secret': secret })).status, 200);
  for (const headers of [{}, { 'x-edgekeeper-secret': '' }, { 'x-edgekeeper-secret': `${secret}x` }]) {
    const answer = await ask(headers);
    assert.equal(answer.status, 403);
    assert.equal(answer.header('authorization'), undefined);
  }
  for (const path of ['/rules', '/rules/app', '/decisions/x']) {
    assert.equal((await site.ask(`http://api.example.com${path}`)).status, 403, path);
  }
  assert.ok(!site.log().includes(secret));
});

test('the rules are shown as they were written', async () => {
  const all = (await send(site.api, 'http://g.test/rules')).json();
  assert.deepEqual(all.map(({ id }) => id), ['app', 'token', 'open', 'reads', 'barred', 'kratos']);
  assert.deepEqual((await send(site.api, 'http://g.test/rules?limit=1&offset=3')).json().map(({ id }) => id), ['reads']);
  const one = (await send(site.api, 'http://g.test/rules/reads')).json();
  assert.deepEqual(one.match, { methods: ['GET'], url: 'http://reads.test/<.*>' });
  assert.deepEqual(one, all[3]);
  assert.equal((await send(site.api, 'http://g.test/rules/nobody')).status, 404);
});

test('health, and nothing else', async () => {
  for (const path of ['/health/alive', '/health/ready']) {
    const answer = await send(site.api, `http://g.test${path}`);
    const { policy, ...told } = answer.json();
    assert.deepEqual([answer.status, told], [200, { status: 'ok' }]);
    assert.match(policy, /^[0-9a-f]{16}$/, 'the version of the policy');
    assert.equal((await send(site.api, `http://g.test${path}`, { method: 'POST' })).status, 405);
  }
  for (const path of ['/', '/version', '/decisionsx', '/rules/a/b']) {
    assert.equal((await send(site.api, `http://g.test${path}`)).status, 404, path);
  }
});

test('the API has its own CORS', async () => {
  const origin = 'https://page.example.com';
  const answer = await send(site.api, 'http://open.test/decisions/', { headers: { origin } });
  assert.equal(answer.header('access-control-allow-origin'), origin);
  const preflight = await send(site.api, 'http://open.test/decisions/', {
    method: 'OPTIONS',
    headers: { origin, 'access-control-request-method': 'GET' },
  });
  assert.deepEqual([preflight.status, preflight.header('access-control-allow-origin')], [204, origin]);
});
