import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';

import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';

import { send } from './client.mjs';
import { outcomeOf } from './outcome.mjs';
import { choosePorts } from './ports.mjs';
import { count } from './report.mjs';
import { runScenario } from './run.mjs';
import { readScenario, scenarioNames } from './scenario.mjs';
import { startStandIns } from './stand-ins.mjs';
import { differenceOf, differences, differingLines, isEqualAt, judge } from './verdict.mjs';

// The suite is worth what its driver notices. Here it is given answers that are wrong.

let standIns;
before(async () => {
  standIns = await startStandIns();
});
after(() => standIns?.stop());

const noKeys = async () => ({ keys: [] });

const golden = {
  res: { status: 200, headers: { 'content-type': ['text/plain'], location: ['http://a.test/'] }, body: 'ok' },
  upstream: [{ method: 'GET', target: '/a?x', host: 'b.test', headers: { 'x-sub': ['alice'], te: ['trailers'] }, body: '' }],
};

/** What a service is asked. */
const question = {
  service: 'introspect',
  method: 'POST',
  target: '/introspect',
  host: '127.0.0.1:38003',
  headers: { 'content-type': ['application/x-www-form-urlencoded'], authorization: ['Bearer a'] },
  body: 'token=t&scope=s',
};

/** The same, with one thing changed. */
function changed(change) {
  const copy = structuredClone(golden);
  change(copy);
  return copy;
}

const wrong = {
  status: ['/status', ({ res }) => (res.status = 403)],
  'a header of the answer': ['/headers/location/0', ({ res }) => (res.headers.location = ['http://b.test/'])],
  'a header twice': ['/headers/location/1', ({ res }) => res.headers.location.push('http://a.test/')],
  'a CORS header': ['/headers/access-control-allow-origin/0', ({ res }) => (res.headers['access-control-allow-origin'] = ['*'])],
  'the body': ['/body', ({ res }) => (res.body = 'no')],
  'a call to the upstream that was not made': ['/upstream', ({ upstream }) => upstream.pop()],
  'a call to the upstream that was made twice': ['/upstream/1/method', ({ upstream }) => upstream.push(upstream[0])],
  "the upstream's method": ['/upstream/0/method', ({ upstream }) => (upstream[0].method = 'get')],
  "the upstream's target": ['/upstream/0/target', ({ upstream }) => (upstream[0].target = '/a')],
  "the upstream's host": ['/upstream/0/host', ({ upstream }) => (upstream[0].host = 'c.test')],
  "the upstream's body": ['/upstream/0/body', ({ upstream }) => (upstream[0].body = 'x')],
  'a header to the upstream': ['/upstream/0/headers/x-sub/0', ({ upstream }) => (upstream[0].headers['x-sub'] = ['bob'])],
  'a header to the upstream that is missing': ['/upstream/0/headers/te/0', ({ upstream }) => delete upstream[0].headers.te],
  'a header to the upstream that is new': ['/upstream/0/headers/x-new/0', ({ upstream }) => (upstream[0].headers['x-new'] = ['1'])],
};

for (const [what, [pointer, change]] of Object.entries(wrong)) {
  test(`wrong and named: ${what}`, () => {
    const { kind, expected, got } = judge(golden, changed(change));
    assert.equal(kind, 'differs');
    const pointers = differingLines(expected, got).map((line) => line.split(' ')[1]);
    assert.ok(pointers.includes(pointer), `${pointer} is among ${pointers}`);
  });
}

test('what other services are asked is compared, but not whoami, the order of a form, and how often', () => {
  const asking = (...side) => changed((outcome) => (outcome.side = side));
  const expected = asking(question);
  assert.equal(judge(expected, asking({ ...question, body: 'scope=s&token=t' }, question)).kind, 'equal');
  assert.equal(judge(expected, asking(question, { ...question, service: 'kratos' })).kind, 'equal');
  assert.equal(isEqualAt('core', expected, golden), true);
  const others = [{ target: '/' }, { method: 'GET' }, { body: 'token=t' }, { service: 'remote' }, { headers: { ...question.headers, x: ['1'] } }];
  for (const other of others) assert.equal(judge(expected, asking({ ...question, ...other })).kind, 'differs');
  assert.equal(judge(expected, golden).kind, 'differs');
  assert.equal(judge(golden, expected).kind, 'differs');
});

test('level strict also looks at words and at every header', () => {
  const error = (reason) => changed(({ res }) => (res.body = { error: { code: 401, reason } }));
  const alike = [
    [error('a'), error('b')],
    [golden, changed(({ res }) => (res.headers.server = ['other']))],
    [golden, changed(({ upstream }) => (upstream[0].headers.via = ['1.1 y']))],
  ];
  for (const [expected, got] of alike) {
    assert.deepEqual([judge(expected, got).kind, judge(expected, got, undefined, 'strict').kind], ['equal', 'differs']);
    assert.deepEqual([isEqualAt('core', expected, got), isEqualAt('strict', expected, got)], [true, false]);
    assert.equal(judge(expected, expected, undefined, 'strict').kind, 'equal');
  }
});

test('a difference that is listed for level strict excuses nothing in the core', () => {
  const listed = { case: 's/c', runtimes: ['all'], reason: 'r', level: 'strict', here: { '/headers/server': ['other'] } };
  const got = changed(({ res }) => (res.headers.server = ['other']));
  assert.equal(judge(golden, got, listed, 'strict').kind, 'listed');
  assert.equal(judge(golden, got, listed).kind, 'equal');
  assert.equal(judge(golden, golden, listed, 'strict').kind, 'stale');
  got.res.status = 500;
  assert.equal(judge(golden, got, listed, 'strict').kind, 'differs');
  assert.equal(judge(golden, got, listed).kind, 'differs');
});

test('what each runtime has its own way with is passed over', () => {
  const outcome = changed(({ res, upstream }) => {
    res.headers.server = ['other'];
    Object.assign(upstream[0].headers, { 'user-agent': ['x'], 'x-forwarded-host': ['a.test'], via: ['1.1 y'], connection: ['close'] });
  });
  assert.equal(judge(golden, outcome).kind, 'equal');
});

test('an error is compared by code, status and message, not by its words', () => {
  const error = (members) => changed(({ res }) => (res.body = { error: { code: 401, status: 'Unauthorized', message: 'no', ...members } }));
  assert.equal(judge(error({ reason: 'a', request: 'b' }), error({ reason: 'c', debug: 'd' })).kind, 'equal');
  for (const members of [{ code: 403 }, { status: 'Forbidden' }, { message: 'yes' }]) {
    assert.equal(judge(error({}), error(members)).kind, 'differs');
  }
});

test('no answer differs from every answer', () => {
  assert.equal(judge(golden, { error: 'closed without an answer' }).kind, 'differs');
});

test('a listed difference excuses that and nothing else', () => {
  const withoutTe = { case: 's/c', runtimes: ['all'], reason: 'r', without: ['/upstream/0/headers/te'], here: { '/status': 201 } };
  const asListed = changed(({ res, upstream }) => {
    res.status = 201;
    delete upstream[0].headers.te;
  });
  assert.equal(judge(golden, asListed, withoutTe).kind, 'listed');
  assert.equal(judge(golden, golden, withoutTe).kind, 'stale');
  assert.equal(judge(golden, changed(({ res }) => (res.status = 201)), withoutTe).kind, 'differs');
  asListed.upstream[0].headers['x-sub'] = ['bob'];
  assert.equal(judge(golden, asListed, withoutTe).kind, 'differs');
});

test('a value that varies must be there, and another than in Oathkeeper', () => {
  const varies = { case: 's/c', runtimes: ['all'], reason: 'r', varies: ['/upstream/0/headers/x-sub'] };
  assert.equal(judge(golden, changed(({ upstream }) => (upstream[0].headers['x-sub'] = ['random'])), varies).kind, 'listed');
  assert.equal(judge(golden, changed(({ upstream }) => delete upstream[0].headers['x-sub']), varies).kind, 'differs');
  assert.equal(judge(golden, changed(({ upstream }) => upstream.pop()), varies).kind, 'differs');
});

test('a difference counts on the runtimes it names', () => {
  const list = [
    { case: 's/c', runtimes: ['spin', 'wasi'], reason: 'both' },
    { case: 's/all', runtimes: ['all'], reason: 'each' },
  ];
  assert.equal(differenceOf('s/c', 'cloudflare', list), undefined);
  assert.equal(differenceOf('s/c', 'wasi', list).reason, 'both');
  assert.equal(differenceOf('s/all', 'spin', list).reason, 'each');
  assert.throws(() => differenceOf('s/c', 'spin', [...list, { case: 's/c', runtimes: ['all'], reason: 'again' }]), /twice/);
});

test('differences.json lists cases that exist, with a reason, once for each runtime', () => {
  const cases = new Set(scenarioNames.flatMap((name) => readScenario(name).requests.map(({ id }) => `${name}/${id}`)));
  for (const { case: name, difference, runtimes, reason, level = 'core', ...what } of differences) {
    assert.ok(cases.has(name), `${name} is a case`);
    assert.match(difference, /^[a-z0-9-]+$/, `${name} names its row`);
    assert.ok(reason.length > 0 && !reason.includes('\n'), `${name} has a reason of one line`);
    assert.ok(['core', 'strict'].includes(level), `${name}: ${level} is a level`);
    assert.ok(Object.keys(what).length > 0, `${name} says what is different`);
    for (const each of runtimes) assert.ok(['all', 'cloudflare', 'spin', 'wasi'].includes(each), `${name}: ${each} is a runtime`);
    for (const each of ['cloudflare', 'spin', 'wasi']) differenceOf(name, each);
  }
});

test('a request arrives byte for byte: odd targets, methods in lower case, duplicates, UTF-8', async () => {
  const request = {
    method: 'purge',
    target: '/a%zz/../b?x=a b&y=ž',
    host: 'ODD.test:1',
    headers: [['x-Odd', '1'], ['X-ODD', '2'], ['X-Uni', 'ž'], ['X-Empty', '']],
    body: 'ž',
  };
  assert.equal((await send(standIns.ports.upstream, request)).status, 200);
  const [received, ...others] = standIns.take();
  assert.deepEqual(others, []);
  assert.equal(received.method, 'purge');
  assert.equal(Buffer.from(received.target, 'latin1').toString(), request.target);
  assert.deepEqual(received.headers, [
    ['Host', 'ODD.test:1'],
    ['x-Odd', '1'],
    ['X-ODD', '2'],
    ['X-Uni', Buffer.from('ž').toString('latin1')],
    ['X-Empty', ''],
    ['Content-Length', '2'],
  ]);
  assert.equal(received.body.toString(), 'ž');
});

const broken = {
  'closed at once': '',
  'half a head': 'HTTP/1.1 200 OK\r\nX-A: 1\r\n',
  'half a body': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc',
  'half a chunked body': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
  'not HTTP': 'hello\r\n\r\n',
};
for (const [what, bytes] of Object.entries(broken)) {
  test(`no answer: ${what}`, async () => {
    await assert.rejects(answerWith(bytes));
  });
}

const whole = {
  'with a length': ['HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc', 'abc'],
  'in chunks': ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;x=y\r\nab\r\n1\r\nc\r\n0\r\nX-T: 1\r\n\r\n', 'abc'],
  'until the end': ['HTTP/1.0 200\r\n\r\nabc', 'abc'],
  'after another': ['HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na', 'a'],
  'none with 304': ['HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n', ''],
};
for (const [what, [bytes, body]] of Object.entries(whole)) {
  test(`an answer whole: ${what}`, async () => {
    assert.equal((await answerWith(bytes)).body.toString(), body);
  });
}

/** The answer of a server that sends these bytes and closes. */
async function answerWith(bytes) {
  const server = net.createServer((socket) => socket.once('data', () => socket.end(bytes)));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await send(server.address().port, { method: 'GET', target: '/' });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

test('a token of the gateway is decoded and verified, a token of the client is left alone', async () => {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA');
  const jwk = { ...(await exportJWK(publicKey)), alg: 'EdDSA' };
  jwk.kid = await calculateJwkThumbprint(jwk);
  const other = { ...(await exportJWK((await generateKeyPair('EdDSA')).publicKey)), alg: 'EdDSA' };
  const sign = (claims) => {
    return new SignJWT({ iss: 'http://gw.test/', sub: 'a', iat: 5, nbf: 5, exp: 65, ...claims })
      .setProtectedHeader({ alg: 'EdDSA', kid: jwk.kid })
      .sign(privateKey);
  };
  const upstreamGot = async (token, keys) => {
    const headers = [['Host', 'a.test'], ['Authorization', `Bearer ${token}`], ['Cookie', 'b=2; a=1']];
    const answer = { status: 200, headers: [], body: Buffer.alloc(0) };
    const received = [{ service: 'upstream', method: 'GET', target: '/', headers, body: Buffer.alloc(0) }];
    return (await outcomeOf(answer, received, async () => ({ keys }))).upstream[0];
  };

  const ours = await sign({ jti: '1' });
  const { host, headers } = await upstreamGot(ours, [jwk]);
  const header = { alg: 'EdDSA', kid: '<thumbprint>' };
  const claims = { iss: 'http://gw.test/', sub: 'a' };
  assert.deepEqual([host, headers.cookie], ['a.test', ['a=1;b=2']]);
  assert.deepEqual(headers.authorization, [{ jwt: { header, claims, ttl: 60, nbf_eq_iat: true, sig_ok: true } }]);
  const named = (got) => [got.headers.authorization[0].jwt.header.kid, got.headers.authorization[0].jwt.sig_ok];
  assert.deepEqual(named(await upstreamGot(ours, [{ ...other, kid: jwk.kid }])), [jwk.kid, false], 'another key of that name');
  assert.deepEqual(named(await upstreamGot(ours, [])), [jwk.kid, null], 'no such key');
  const theirs = await sign({});
  assert.deepEqual((await upstreamGot(theirs, [jwk])).headers.authorization, [`Bearer ${theirs}`]);
});

test('a decision is its headers, too; what other services got stands apart from the upstream', async () => {
  const answer = { status: 200, headers: [['X-User', 'a'], ['Cookie', 'b=2; a=1'], ['Authorization', 'x'], ['Date', 'y']], body: Buffer.alloc(0) };
  const body = Buffer.from('{"subject":"a","match_context":{},"context":{"requestedAt":1,"b":2}}');
  const received = ['keys', 'hydrator', 'upstream'].map((service) => ({ service, method: 'GET', target: '/', headers: [], body }));
  const decision = await outcomeOf(answer, received, noKeys, 'decision');
  assert.deepEqual(decision.res.headers, { 'x-user': ['a'], cookie: ['a=1;b=2'], authorization: ['x'] });
  assert.deepEqual(decision.side.map(({ service, body: question }) => [service, question]), [['hydrator', { subject: 'a', context: { b: 2 } }]]);
  assert.deepEqual(decision.upstream.map(({ body: text }) => text), [body.toString()]);
  assert.deepEqual((await outcomeOf(answer, received, noKeys)).res.headers, {});
});

test("a run's ports and the scenarios' are translated into each other", async () => {
  const ports = await choosePorts(standIns.ports);
  const { upstream, keys } = standIns.ports;
  assert.equal(ports.here('http://127.0.0.1:38001/a, http://127.0.0.1:38006'), `http://127.0.0.1:${upstream}/a, http://127.0.0.1:${keys}`);
  assert.equal(ports.here('port: 38020, closed: 38019, none: 380019'), `port: ${ports.proxy}, closed: 9, none: 380019`);
  const value = { host: `127.0.0.1:${upstream}`, list: [`http%3A%2F%2F127.0.0.1%3A${ports.proxy}%2F`, upstream, null, `n=${upstream}`] };
  const there = { host: '127.0.0.1:38001', list: ['http%3A%2F%2F127.0.0.1%3A38020%2F', upstream, null, `n=${upstream}`] };
  assert.deepEqual(ports.there(value), there);
});

test('a gateway that does not start fails every case, and says why', async () => {
  const start = async () => {
    throw new Error('rules.json:1:1: error: no');
  };
  const run = await runScenario('err-ct', { start });
  assert.equal(run.refused, 'rules.json:1:1: error: no');
  const { cases, equal, strict, differences: listed, failed } = count('err-ct', run);
  assert.deepEqual([cases, equal, strict, listed, failed], [5, 0, 0, 0, 5]);
});

test('an answer in JSON that is none is text', async () => {
  const answer = { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from('nope') };
  assert.equal((await outcomeOf(answer, [], noKeys)).res.body, 'nope');
});
