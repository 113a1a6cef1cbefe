import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { open, rule, startSite } from './site.mjs';
import { json, startWhoamiStandIn } from './whoami-stand-in.mjs';

// What a page on another origin gets to see. Kratos' stand-in is here to count: a preflight asks nobody.

const app = 'https://app.example.com';
const cors = {
  allowed_origins: [app, 'https://*.apps.example.com'],
  allowed_methods: ['GET', 'POST', 'DELETE'],
  allowed_headers: ['Authorization', 'Content-Type', 'X-Trace'],
  exposed_headers: ['X-From'],
  allow_credentials: true,
  max_age: 600,
};
const oathkeepersCors = { enabled: true, allowed_origins: ['https://other.example.com'], allowed_methods: ['GET'] };
const rules = [rule('page'), rule('open', open), rule('gone', { ...open, upstream: { url: 'http://127.0.0.1:9' } })];

let standIn;
let site;
let oathkeepers;
let any;

before(async () => {
  standIn = await startWhoamiStandIn();
  const whoami = standIn.origin;
  [site, oathkeepers, any] = await Promise.all([
    startSite({ rules, whoami, edge: { cors } }),
    startSite({ rules, whoami, edge: { cors }, serve: { proxy: { cors: oathkeepersCors } } }),
    startSite({ rules, whoami, edge: { cors: { ...cors, allowed_origins: ['*'] } } }),
  ]);
});
after(async () => {
  await Promise.all([site, oathkeepers, any].map((each) => each?.stop()));
  await standIn?.stop();
});

const preflight = (url, headers = {}, of = site) =>
  of.ask(url, { method: 'OPTIONS', headers: { origin: app, 'access-control-request-method': 'POST', ...headers } });

/** What an answer tells a browser of CORS. */
const told = (answer) =>
  Object.fromEntries(
    ['allow-origin', 'allow-credentials', 'allow-methods', 'allow-headers', 'max-age', 'expose-headers']
      .map((name) => [name, answer.header(`access-control-${name}`)])
      .filter(([, value]) => value !== undefined),
  );

test('a preflight is answered at the edge: without a rule, a cookie, an upstream or Kratos', async () => {
  const asked = standIn.asked;
  for (const url of ['http://page.test/api', 'http://open.test/', 'http://nobody.test/api/oauth-clients']) {
    const answer = await preflight(url, { 'access-control-request-headers': 'content-type,x-trace', cookie: 'ory_kratos_session=x' });
    assert.equal(answer.status, 204, url);
    assert.equal(answer.text, '');
    assert.deepEqual(told(answer), {
      'allow-origin': app,
      'allow-credentials': 'true',
      'allow-methods': 'POST',
      'allow-headers': 'content-type,x-trace',
      'max-age': '600',
    });
    assert.match(answer.header('vary'), /Origin/);
  }
  assert.deepEqual(site.upstream.take(), []);
  assert.equal(standIn.asked, asked);
});

test('a preflight for what is not allowed gives no permission', async () => {
  for (const [why, headers] of [
    ['another origin', { origin: 'https://evil.example' }],
    ['a similar origin', { origin: 'https://app.example.com.evil.example' }],
    ['an origin above the subdomains', { origin: 'https://apps.example.com' }],
    ['an origin by another scheme', { origin: 'http://app.example.com' }],
    ['the null origin', { origin: 'null' }],
    ['another method', { 'access-control-request-method': 'PUT' }],
    ['another header', { 'access-control-request-headers': 'x-other' }],
  ]) {
    const answer = await preflight('http://page.test/', headers);
    assert.equal(answer.status, 204, why);
    assert.deepEqual(told(answer), {}, why);
  }
});

test('OPTIONS that is no preflight is a request like any other', async () => {
  const answer = await site.ask('http://page.test/', { method: 'OPTIONS', headers: { origin: app } });
  assert.equal(answer.status, 404, 'no rule is for OPTIONS');
});

test('a page can read every answer, errors and redirects too', async () => {
  const session = { 'x-session-token': 'ory_st_ada' };
  assert.equal((await site.ask('http://page.test/', { headers: session })).status, 200);
  standIn.answerWith((response) => json(response, 500, {}));
  for (const [what, status, url, headers] of [
    ['an answer of the upstream', 200, 'http://page.test/', session],
    ['an error of the upstream', 500, 'http://page.test/status/500', session],
    ['a redirect of the upstream', 302, 'http://open.test/redirect', {}],
    ['401', 401, 'http://page.test/', {}],
    ['a redirect to sign in', 302, 'http://page.test/', { accept: 'text/html' }],
    ['404', 404, 'http://nobody.test/', {}],
    ['502', 502, 'http://gone.test/', {}],
    ['503', 503, 'http://page.test/', { 'x-session-token': 'ory_st_new' }],
  ]) {
    const answer = await site.ask(url, { headers: { origin: app, ...headers } });
    assert.equal(answer.status, status, what);
    assert.deepEqual(told(answer), { 'allow-origin': app, 'allow-credentials': 'true', 'expose-headers': 'X-From' }, what);
    assert.ok(answer.all('vary').join().includes('Origin'), what);
    const stranger = await site.ask(url, { headers: { origin: 'https://evil.example', ...headers } });
    assert.deepEqual(told(stranger), {}, `${what}, to a stranger`);
  }
  standIn.answerWith();
});

test("the upstream's own CORS headers give way, so that none is there twice", async () => {
  const answer = await site.ask('http://open.test/cors', { headers: { origin: app } });
  assert.deepEqual(told(answer), { 'allow-origin': app, 'allow-credentials': 'true', 'expose-headers': 'X-From' });
  const vary = answer.all('vary').join(', ');
  assert.ok(vary.includes('Accept-Encoding') && vary.includes('Origin'), vary);
  assert.deepEqual(told(await site.ask('http://open.test/cors', { headers: { origin: 'https://evil.example' } })), {});
});

test("`serve.proxy.cors` counts before edge.yml's", async () => {
  const ask = { 'access-control-request-method': 'GET' };
  assert.deepEqual(told(await preflight('http://page.test/', ask, oathkeepers)), {});
  const other = await preflight('http://page.test/', { ...ask, origin: 'https://other.example.com' }, oathkeepers);
  assert.equal(told(other)['allow-origin'], 'https://other.example.com');
});

test('`*` with credentials is served as `*` without, and said so at build', async () => {
  const answer = await preflight('http://page.test/', { origin: 'https://whoever.example' }, any);
  assert.equal(answer.header('access-control-allow-origin'), '*');
  assert.equal(answer.header('access-control-allow-credentials'), undefined);
  assert.match(any.log(), /warning\[cors-wildcard\]: .*credentials/);
});
