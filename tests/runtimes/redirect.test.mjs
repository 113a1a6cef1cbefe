import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { loginUrl, open, rule, startSite } from './site.mjs';

// Nobody is signed in here, so Kratos is not needed.

const to = (url) => ({ errors: [{ handler: 'redirect', config: { to: url, return_to_query_param: '' } }] });

let site;

before(async () => {
  site = await startSite({
    rules: [
      rule('page'),
      rule('elsewhere'),
      rule('any', { match: { url: 'http://<.*>.any.test/<.*>', methods: ['GET'] } }),
      rule('percent', to('https://login.test/in?to=%s&x=1')),
      rule('circle', to('http://circle.test/login')),
      rule('closed', { authenticators: [{ handler: 'noop' }], authorizer: { handler: 'deny' } }),
      rule('hidden', open),
    ],
    edge: {
      hosts: ['page.test', 'elsewhere.test', '*.any.test', 'percent.test', 'circle.test', 'closed.test'],
      return_to: ['http://page.test', 'http://percent.test', 'http://a.any.test/cart'],
    },
  });
});
after(async () => {
  assert.deepEqual(site?.upstream.take(), [], 'nothing of all this reached the upstream');
  await site?.stop();
});

const html = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
const loginFor = (url) => `${loginUrl}?return_to=${encodeURIComponent(url)}`;

test('a browser without a session is sent to sign in, and from there to the page it asked for', async () => {
  const answer = await site.ask('http://page.test/a%20b/?x=1&y=%26', { headers: html });
  assert.equal(answer.status, 302);
  assert.equal(answer.header('location'), loginFor('http://page.test/a%20b/?x=1&y=%26'));
  assert.match(answer.header('cache-control'), /no-store/);
});

test('%s in the login URL is the page it asked for', async () => {
  const answer = await site.ask('http://percent.test/x?y', { headers: html });
  assert.equal(answer.header('location'), `https://login.test/in?to=${encodeURIComponent('http://percent.test/x?y')}&x=1`);
});

for (const [why, ask, status] of [
  ['a navigation', { headers: { ...html, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' } }, 302],
  ['HEAD of a page', { method: 'HEAD', headers: html }, 302],
  ['a program that takes JSON', { headers: { accept: 'application/json' } }, 401],
  ['a program that takes anything', { headers: { accept: '*/*' } }, 401],
  ['a program that says nothing', {}, 401],
  ['fetch() from a page', { headers: { ...html, 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' } }, 401],
  ['an image', { headers: { ...html, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' } }, 401],
  ['XMLHttpRequest of an old page', { headers: { ...html, 'x-requested-with': 'XMLHttpRequest' } }, 401],
  ['a form', { method: 'POST', headers: html, body: 'a=b' }, 401],
]) {
  test(`${why} without a session gets ${status}`, async () => {
    const answer = await site.ask('http://page.test/', ask);
    assert.equal(answer.status, status);
    if (status === 302) return assert.equal(answer.header('location'), loginFor('http://page.test/'));
    assert.equal(answer.header('content-type'), 'application/json');
    assert.deepEqual(answer.json(), { error: { code: 401, status: 'Unauthorized', message: 'The request could not be authorized' } });
  });
}

test('a login leads back only to places that are listed', async () => {
  for (const [url, listed] of [
    ['http://page.test/', true],
    ['http://a.any.test/cart/1', true],
    ['http://a.any.test/cartel', false],
    ['http://a.any.test/', false],
    ['http://b.any.test/cart', false],
    ['http://elsewhere.test/', false],
    ['http://elsewhere.test/?http://page.test', false],
  ]) {
    const answer = await site.ask(url, { headers: html });
    assert.equal(answer.status, 302, url);
    assert.equal(answer.header('location'), listed ? loginFor(url) : loginUrl, url);
  }
});

test('what a client says about its host elsewhere does not get into Location', async () => {
  for (const [name, value] of [
    ['x-forwarded-host', 'evil.example'],
    ['x-forwarded-proto', 'javascript'],
    ['x-forwarded-uri', '//evil.example'],
    ['x-forwarded-port', '8443'],
    ['forwarded', 'host=evil.example;proto=https'],
    ['x-original-url', 'https://evil.example/'],
    ['x-rewrite-url', 'https://evil.example/'],
    ['referer', 'https://evil.example/'],
  ]) {
    const answer = await site.ask('http://page.test/x', { headers: { ...html, [name]: value } });
    assert.equal(answer.header('location'), loginFor('http://page.test/x'), name);
  }
  for (const path of ['//evil.example', '//evil.example/%2e%2e', '/?return_to=https://evil.example', '/.//evil.example']) {
    const { status, header } = await site.ask(`http://page.test${path}`, { headers: html });
    if (status === 400) continue;
    assert.equal(status, 302, path);
    const location = new URL(header('location'));
    assert.equal(location.origin, 'https://login.test', path);
    assert.equal(new URL(location.searchParams.get('return_to')).origin, 'http://page.test', path);
  }
});

test('a host that is not served is 404, whatever rules there are, and never part of a redirect', async () => {
  for (const host of ['evil.example', 'hidden.test', 'page.test.evil.example', 'page.test:8443', 'any.test', 'xpage.test']) {
    const answer = await site.ask(`http://${host}/`, { headers: html });
    assert.equal(answer.status, 404, host);
    assert.equal(answer.header('location'), undefined, host);
    assert.equal(answer.json().error.code, 404, host);
  }
});

test('a URL without a rule is 404 in JSON', async () => {
  const answer = await site.ask('http://page.test/', { method: 'PROPFIND' });
  assert.equal(answer.status, 404);
  assert.equal(answer.json().error.code, 404);
});

test('who may not, is not sent to sign in again', async () => {
  const answer = await site.ask('http://closed.test/', { headers: html });
  assert.equal(answer.status, 403);
  assert.equal(answer.json().error.code, 403);
});

test('the login page is not sent to itself', async () => {
  const location = async (url) => (await site.ask(url, { headers: html })).header('location');
  assert.equal(await location('http://circle.test/other'), 'http://circle.test/login');
  assert.notEqual(await location('http://circle.test/login'), 'http://circle.test/login');
});

test('a browser that comes back again and again without a session is told so', async () => {
  const statuses = [];
  let cookie;
  for (let n = 0; n < 6; n++) {
    const answer = await site.ask('http://page.test/loop', { headers: { ...html, ...(cookie ? { cookie } : {}) } });
    statuses.push(answer.status);
    cookie = answer.header('set-cookie')?.split(';')[0] ?? cookie;
  }
  assert.deepEqual(statuses, [302, 302, 302, 302, 401, 401]);
});
