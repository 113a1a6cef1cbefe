import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { answerTo, openRequest } from './client.mjs';
import { residentBytes } from './memory.mjs';
import { can, runtime } from './runtime.mjs';
import { open, rule, startSite } from './site.mjs';
import { gzipped } from './upstream.mjs';
import { startWhoamiStandIn } from './whoami-stand-in.mjs';
import { openWebSocket } from './websocket.mjs';

// What goes through the gateway is what was sent, and goes on while it is sent.

let site;
let standIn;

before(async () => {
  standIn = await startWhoamiStandIn();
  site = await startSite({
    rules: [
      rule('open', open),
      rule('page', { mutators: [{ handler: 'header' }] }),
      rule('based', { ...open, upstream: { url: 'http://web:3000/base', strip_path: '/api' } }),
      rule('keeps', { ...open, upstream: { url: 'http://web:3000', preserve_host: true } }),
      rule('gone', { ...open, upstream: { url: 'http://127.0.0.1:9' } }),
      rule('nowhere', { ...open, upstream: undefined }),
      rule('both-public', { ...open, match: { url: 'http://both.test/public/<.*>', methods: ['GET'] } }),
      rule('both-admin', { match: { url: 'http://both.test/admin<.*>', methods: ['GET'] } }),
      rule('titled', { ...open, mutators: [{ handler: 'header', config: { headers: { 'X-Title': 'x' } } }] }),
    ],
    whoami: standIn.origin,
  });
});
after(async () => {
  await site?.stop();
  await standIn?.stop();
});

const ask = async (url, more) => {
  site.upstream.take();
  return site.ask(url, more);
};
const session = { 'x-session-token': 'ory_st_ada' };
const webSocket = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };

test('method, path, query and body arrive as they were sent', async () => {
  for (const [method, target] of [
    ['GET', '/a%20b/%C3%A4;x=1/'],
    ['POST', '/?a=1&a=2&b=%26&c=%2Fd'],
    ['PUT', '/%7Euser/x?'],
    ['DELETE', '/x'],
    ['PATCH', '/x?y'],
  ]) {
    const body = ['POST', 'PUT', 'PATCH'].includes(method) ? randomBytes(1000) : undefined;
    const answer = await ask(`http://open.test${target}`, { method, body, headers: { 'content-type': 'application/x-test', 'x-own': 'kept' } });
    assert.equal(answer.status, 200, target);
    const received = site.upstream.one();
    assert.equal(received.method, method);
    assert.equal(received.target, target);
    assert.equal(received.header('x-own'), 'kept');
    assert.equal(answer.header('content-type'), 'application/x-test');
    if (body) assert.ok(answer.body.equals(body), 'the body comes back');
  }
});

test('the upstream is told the public host, and sees its own or, with preserve_host, the client\'s', async () => {
  const own = new URL(site.upstream.origin).host;
  for (const [url, host] of [['http://open.test/', own], ['http://keeps.test/', can.setsHost ? 'keeps.test' : own]]) {
    await ask(url, { headers: { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https' } });
    const received = site.upstream.one();
    assert.equal(received.header('host'), host);
    assert.equal(received.header('x-forwarded-host'), new URL(url).host);
    assert.equal(received.header('x-forwarded-proto'), 'http');
  }
});

test("the upstream's base path and strip_path make the path", async () => {
  for (const [path, target] of [['/api/x?y', '/base/x?y'], ['/apis', '/base/apis'], ['/api', '/base']]) {
    await ask(`http://based.test${path}`);
    assert.equal(site.upstream.one().target, target);
  }
});

test('an identity header that any rule sets is taken from the client on every rule, in every spelling', async () => {
  const spellings = { 'X-User-Id': 'admin', 'x_user_id': 'admin', 'X-User_Id': 'admin', 'X-TITLE': 'admin', 'X_Title': 'admin' };
  for (const [url, headers] of [['http://open.test/', {}], ['http://page.test/', session]]) {
    const answer = await ask(url, { headers: { ...spellings, ...headers, 'x-user-idea': 'kept' } });
    assert.equal(answer.status, 200);
    const received = site.upstream.one();
    assert.ok(!JSON.stringify(received.headers).includes('admin'), url);
    assert.equal(received.header('x-user-idea'), 'kept');
    assert.equal(received.header('x-user-id'), url.includes('page') ? 'ada' : undefined);
  }
});

test('what is about one connection stays on it', async () => {
  await ask('http://open.test/', {
    headers: { connection: 'x-hop, keep-alive', 'x-hop': '1', te: 'trailers', 'proxy-authorization': 'Basic x', 'x-middleware-subrequest': 'x' },
  });
  const received = site.upstream.one();
  const named = can.seesConnection ? ['x-hop'] : [];
  for (const name of [...named, 'te', 'proxy-authorization', 'x-middleware-subrequest']) {
    assert.equal(received.header(name), undefined, name);
  }
});

test('an answer without a body has none', async () => {
  const head = await ask('http://open.test/gzip', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.header('content-length'), String(gzipped.length));
  assert.equal(head.text, '');
  assert.equal(site.upstream.one().method, 'HEAD');
  for (const status of [204, 304]) {
    const answer = await ask(`http://open.test/status/${status}`, { headers: { 'if-none-match': '"e"' } });
    assert.equal(answer.status, status);
    assert.equal(answer.header('etag'), '"e"');
    assert.equal(answer.text, '');
  }
});

test("the upstream's status and body pass, whatever they are", async () => {
  for (const status of [200, 201, 400, 401, 403, 404, 418, 500, 503]) {
    const answer = await ask(`http://open.test/status/${status}`, { headers: { accept: 'text/html' } });
    assert.equal(answer.status, status);
    assert.equal(answer.text, `status ${status}`);
  }
});

test('several Set-Cookie stay several', async () => {
  const answer = await ask('http://open.test/cookies');
  assert.deepEqual(answer.all('set-cookie'), ['a=1; Path=/', 'b=2; Expires=Thu, 01 Jan 2032 00:00:00 GMT', 'c=3; HttpOnly']);
});

test("the upstream's redirect passes and is not followed", async () => {
  const answer = await ask('http://open.test/redirect');
  assert.equal(answer.status, 302);
  assert.equal(answer.header('location'), 'https://elsewhere.example/next?a=b');
  assert.equal(answer.header('x-from'), 'upstream');
  assert.equal(answer.text, 'see there');
});

test('a compressed body passes as it is', async () => {
  const answer = await ask('http://open.test/gzip', { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(answer.header('content-encoding'), 'gzip');
  assert.ok(answer.body.equals(gzipped));
});

test('what a session decides is kept by no cache; what none decides is as the upstream says', async () => {
  const mine = await ask('http://page.test/cors', { headers: session });
  assert.equal(mine.header('cache-control'), 'private, no-store');
  assert.equal((await ask('http://open.test/cors')).header('cache-control'), 'public, max-age=600');
});

test('what is for one person is asked of the upstream past every cache on Workers', async () => {
  await ask('http://page.test/cors', { headers: session });
  const asksPast = runtime === 'cloudflare' ? 'no-cache' : undefined;
  assert.equal(site.upstream.one().header('cache-control'), asksPast);
});

test('an answer streams: its beginning arrives while the upstream is still writing', async () => {
  const request = openRequest(site.origin, 'http://open.test/drip');
  request.end();
  const response = await answerTo(request);
  const [first] = await once(response, 'data');
  assert.equal(first.toString(), 'first');
  site.upstream.release();
  assert.equal(Buffer.concat(await response.toArray()).toString(), 'last');
});

test('a body streams both ways: its beginning comes back before its end is sent', async () => {
  const request = openRequest(site.origin, 'http://page.test/echo', { method: 'POST', headers: session });
  const answered = answerTo(request);
  request.write('first');
  const response = await answered;
  const [first] = await once(response, 'data');
  assert.equal(first.toString(), 'first');
  request.end('last');
  assert.equal(Buffer.concat(await response.toArray()).toString(), 'last');
});

test('64 MB go up without being held in memory', async (t) => {
  const chunk = randomBytes(1 << 20);
  const before = residentBytes(site.gateway.pid);
  const request = openRequest(site.origin, 'http://open.test/count', { method: 'POST' });
  const answered = answerTo(request);
  let most = 0;
  for (let n = 0; n < 64; n++) {
    if (!request.write(chunk)) await once(request, 'drain');
    if (n % 8 === 7) most = Math.max(most, residentBytes(site.gateway.pid));
  }
  request.end();
  const text = Buffer.concat(await (await answered).toArray()).toString();
  assert.equal(text, String(64 << 20));
  const grown = (most - before) / (1 << 20);
  t.diagnostic(`64 MB up: the gateway's memory grew by ${grown.toFixed(1)} MB`);
  assert.ok(grown < 32, `it grew by ${grown.toFixed(1)} MB`);
});

test('10 MB come back as they were', async () => {
  const body = randomBytes(10 << 20);
  const answer = await ask('http://open.test/echo', { method: 'POST', body });
  const hash = (bytes) => createHash('sha256').update(bytes).digest('hex');
  assert.equal(hash(answer.body), hash(body));
});

test('a WebSocket needs a session; with one it passes, or is 426 where no protocol can be switched', async () => {
  assert.equal((await openWebSocket(site.origin, 'http://page.test/ws', {})).status, 401);
  if (!can.webSockets) {
    site.upstream.take();
    const answer = await ask('http://page.test/ws', { headers: { ...webSocket, ...session, accept: 'application/json' } });
    assert.equal(answer.status, 426);
    assert.equal(answer.json().error.code, 426);
    assert.deepEqual(site.upstream.take(), [], 'nothing of it goes on');
    return;
  }
  const socket = await openWebSocket(site.origin, 'http://page.test/ws', session);
  for (const message of ['h\u00e9llo', 'x'.repeat(70_000)]) assert.equal(await socket.echo(message), message);
  socket.close();
});

test('an upstream that is down is 502 in JSON, and so is one that hangs up', async () => {
  for (const url of ['http://gone.test/', 'http://open.test/hang-up']) {
    const answer = await ask(url, { headers: { accept: 'text/html' } });
    assert.equal(answer.status, 502, url);
    assert.equal(answer.header('content-type'), 'application/json');
    assert.deepEqual(answer.json(), { error: { code: 502, status: 'Bad Gateway', message: 'The upstream could not be reached' } });
  }
});

test('a rule without an upstream is 500 in JSON', async () => {
  const answer = await ask('http://nowhere.test/', { headers: { accept: 'text/html' } });
  assert.equal(answer.status, 500);
  assert.equal(answer.json().error.code, 500);
  assert.deepEqual(site.upstream.take(), []);
});

test('the path that the rules judge is the path that goes on', async () => {
  for (const path of ['/public/..%2fadmin', '/public/%2e%2e/admin', '/public/../admin', '//admin', '/./admin', '/%61dmin']) {
    assert.equal((await ask(`http://both.test${path}`)).status, 401, path);
    assert.deepEqual(site.upstream.take(), [], path);
    await ask(`http://both.test${path}`, { headers: session });
    assert.match(site.upstream.one().target, /^\/(a|%61)dmin$/, path);
  }
});

test('a path that servers could read differently is 400 and goes no further', async () => {
  for (const path of ['/a/..;/b', '/%00', '/a/%252e%252e/b', '/a%5cb', '/%zz']) {
    const { status } = await ask(`http://open.test${path}`);
    assert.deepEqual([status, site.upstream.take().map(({ target }) => target)], [400, []], path);
  }
});
