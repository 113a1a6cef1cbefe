import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { SignJWT } from 'jose';

import { send } from './client.mjs';
import { can, runtime } from './runtime.mjs';
import { open, rule, startSite, until } from './site.mjs';

// Policies that are pushed while the gateway runs, by its endpoint. `jose` signs as the operator.

const secret = randomBytes(32).toString('base64');
const endpoint = 'http://page.test/.edge/policy';
const refresh = 1_000; // policy.refresh, in milliseconds
const slack = 1_500; // for a machine that is busy

/** Requests in a second, and for how many seconds before, between and after the changes. */
const rate = 200;
const each = Number(process.env.EDGEKEEPER_PUSH_SECONDS ?? 4);

/** A rule that says which policy it is of. */
const marked = (name) => rule('page', { ...open, mutators: [{ handler: 'header', config: { headers: { 'X-Policy': `policy-${name}` } } }] });

let site;
let state;
let deployed;

before(async () => {
  state = mkdtempSync(join(tmpdir(), 'edgekeeper-policy-'));
  site = await startSite({
    rules: [marked('deployed')],
    state,
    keysSecret: randomBytes(32).toString('base64'),
    env: { OPERATOR_SECRET: secret },
    edge: { operator: { secret: 'OPERATOR_SECRET' }, policy: { refresh: `${refresh / 1_000}s` } },
  });
  deployed = (await ask('GET', '/deployed')).text;
});
after(async () => {
  await site?.stop();
  if (state) rmSync(state, { recursive: true, force: true });
});

const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const version = (document) => sha256(document).slice(0, 16);

/** The deployed policy under another name. */
const named = (name) => deployed.replaceAll('policy-deployed', `policy-${name}`);

async function sign(claims, key = secret) {
  return new SignJWT({ aud: 'edgekeeper policy', exp: Math.floor(Date.now() / 1000) + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(Buffer.from(key));
}

/** Asks the endpoint as the operator does; a change says which one it follows. */
async function ask(method, rest = '', body = undefined, claims = {}) {
  const url = endpoint + rest;
  const statement = await sign({ htm: method, htu: url, body: sha256(body ?? ''), ...claims });
  return site.ask(url, { method, headers: { authorization: `Bearer ${statement}` }, body });
}

const inForce = async () => (await ask('GET')).json();

async function put(document) {
  return ask('PUT', '', document, { number: (await inForce()).number });
}

async function backTo(name) {
  return ask('POST', `/${name}`, undefined, { number: (await inForce()).number });
}

/** The policy that a request was judged by. */
async function judgedBy() {
  site.upstream.take();
  const { status } = await site.ask('http://page.test/');
  assert.equal(status, 200);
  return site.upstream.one().header('x-policy').replace('policy-', '');
}

const health = async () => (await send(site.api, 'http://page.test/health/alive')).json();

/** Sends requests at an even rate until it is stopped, each with a path of its own. */
function load() {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 100 });
  const sent = [];
  const open = [];
  const began = performance.now();
  const timer = setInterval(() => {
    const due = ((performance.now() - began) / 1_000) * rate;
    while (sent.length < due) {
      const request = { path: `/${sent.length}`, at: performance.now() };
      sent.push(request);
      open.push(
        send(site.origin, `http://page.test${request.path}`, { agent }).then(
          ({ status }) => Object.assign(request, { status, ended: performance.now() }),
          (error) => Object.assign(request, { status: error.code ?? 'error', ended: performance.now() }),
        ),
      );
    }
  }, 5);
  return async () => {
    clearInterval(timer);
    await Promise.all(open);
    agent.destroy();
    const policies = new Map(site.upstream.take().map((received) => [received.target, received.header('x-policy').replace('policy-', '')]));
    return sent.map((request) => ({ ...request, policy: policies.get(request.path) }));
  };
}

/** How many requests each policy judged, as text. */
const tally = (requests) => {
  const counts = {};
  for (const { policy = 'lost' } of requests) counts[policy] = (counts[policy] ?? 0) + 1;
  return Object.entries({ lost: 0, ...counts })
    .toSorted(([one], [other]) => (one === 'lost') - (other === 'lost'))
    .map(([name, count]) => `${count.toLocaleString('en')} ${name}`)
    .join(', ');
};

test('what was deployed is in force, and the operator sees it', async () => {
  const told = await inForce();
  assert.deepEqual(told, { version: version(deployed), number: 0, source: 'deployed', at: 0, deployed: version(deployed), history: [] });
  assert.equal(await judgedBy(), 'deployed');
  assert.deepEqual(await health(), { status: 'ok', policy: version(deployed) });
});

test('a policy pushed under load: each request is judged by the old or the new one, and none is lost', async (t) => {
  site.upstream.take();
  const stop = load();
  await sleep(each * 1_000);
  const pushedAt = performance.now();
  const answer = await put(named('pushed'));
  assert.deepEqual([answer.status, answer.json()], [200, { version: version(named('pushed')), number: 1 }]);
  const tookAt = performance.now();
  await sleep(each * 1_000);
  const requests = await stop();
  t.diagnostic(`on ${runtime}, pushed under ${rate} req/s: ${requests.length.toLocaleString('en')} requests, ${tally(requests)}`);

  assert.deepEqual(requests.filter(({ status, policy }) => status !== 200 || !policy).slice(0, 3), [], 'none is lost');
  for (const { policy, at, ended } of requests) {
    assert.ok(['deployed', 'pushed'].includes(policy), policy);
    if (policy === 'pushed') assert.ok(ended >= pushedAt, 'not before it was pushed');
    else assert.ok(at <= tookAt + refresh + slack, `judged by the old policy ${Math.round(at - tookAt)} ms after the push`);
  }
  const firstNew = Math.min(...requests.filter(({ policy }) => policy === 'pushed').map(({ ended }) => ended));
  const oldAgain = requests.filter(({ policy, at }) => policy === 'deployed' && at > firstNew);
  if (can.oneInstance) assert.deepEqual(oldAgain, [], 'never the old one again after the new one');
  const last = Math.max(0, ...requests.filter(({ policy }) => policy === 'deployed').map(({ at }) => at - tookAt));
  t.diagnostic(`on ${runtime}: the last request that the old one judged came ${Math.round(last)} ms after the push was answered`);
});

test('health, on the other listener too, and the log name the version', async () => {
  const expected = { status: 'ok', policy: version(named('pushed')) };
  const told = await until(health, ({ policy }) => policy === expected.policy);
  assert.deepEqual(told, expected);
  await site.ask('http://page.test/named-in-the-log');
  const line = await until(
    async () =>
      site
        .log()
        .split('\n')
        .find((text) => text.includes('/named-in-the-log')),
    Boolean,
  );
  assert.equal(JSON.parse(line.slice(line.indexOf('{'))).policy, expected.policy);
});

test('a broken policy pushed under load is refused with why, and the traffic goes on unchanged', async (t) => {
  site.upstream.take();
  const stop = load();
  await sleep(1_000);
  for (const [document, why] of [
    ['{', 'EOF while parsing an object at line 1 column 1'],
    ['{"format":99}', 'it is of format 99, this gateway reads format 2'],
    [named('broken').replace('"rules":[', '"rules":[{},'), 'missing field `id`'],
  ]) {
    const answer = await put(document);
    assert.equal(answer.status, 422);
    assert.equal(answer.json().error.message, `the policy document cannot be used: ${why}; make it anew with \`edgekeeper build\``);
  }
  await sleep(each * 1_000);
  const requests = await stop();
  t.diagnostic(`on ${runtime}, three broken ones pushed under ${rate} req/s: ${requests.length.toLocaleString('en')} requests, ${tally(requests)}`);
  assert.deepEqual(requests.filter(({ status, policy }) => status !== 200 || policy !== 'pushed').slice(0, 3), []);
  assert.equal((await inForce()).number, 1);
});

test('who is not the operator changes nothing', async () => {
  const document = named('attacker');
  const claims = { htm: 'PUT', htu: endpoint, body: sha256(document), number: 1 };
  const push = (authorization) => site.ask(endpoint, { method: 'PUT', headers: authorization ? { authorization } : {}, body: document });
  for (const [authorization, status] of [
    [undefined, 401],
    [`Bearer ${await sign(claims, randomBytes(32).toString('base64'))}`, 401],
    [`Bearer ${await sign({ ...claims, aud: 'edgekeeper explain' })}`, 401],
    [`Bearer ${await sign({ ...claims, body: sha256('another') })}`, 401],
    [`Bearer ${await sign({ ...claims, htm: 'GET' })}`, 401],
    [`Bearer ${await sign({ ...claims, exp: 1 })}`, 401],
    [`Bearer ${await sign({ ...claims, number: undefined })}`, 400],
    [`Bearer ${await sign({ ...claims, number: 0 })}`, 409],
  ]) {
    const answer = await push(authorization);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.header('cache-control'), 'no-store');
  }
  assert.equal(await judgedBy(), 'pushed');
});

test('back to an earlier policy, by its version or as it was deployed', async () => {
  await until(async () => (await inForce()).number, (number) => number === 1);
  const pushed = version(named('pushed'));
  const next = await put(named('next'));
  assert.deepEqual([next.status, next.json().number], [200, 2]);
  const back = await backTo(pushed);
  assert.deepEqual([back.status, back.json()], [200, { version: pushed, number: 3 }]);
  await until(judgedBy, (policy) => policy === 'pushed');
  assert.equal((await ask('GET', `/${pushed}`)).text, named('pushed'));
  const missing = await backTo('0123456789abcdef');
  assert.deepEqual([missing.status, missing.json().error.message], [404, 'there is no policy 0123456789abcdef in the store']);
  const first = await backTo('deployed');
  assert.deepEqual([first.status, first.json()], [200, { version: version(deployed), number: 4 }]);
  await until(judgedBy, (policy) => policy === 'deployed');
  const { history, source } = await inForce();
  assert.equal(source, 'deployed');
  assert.deepEqual(
    history.map(({ number, version }) => [number, version]),
    [
      [3, pushed],
      [2, version(named('next'))],
      [1, pushed],
    ],
  );
});

test('garbage in the store leaves the traffic as it is', { skip: runtime !== 'wasi' && 'only there the store is files that a test can spoil' }, async (t) => {
  const file = join(state, 'store/policy/current');
  const good = readFileSync(file, 'utf8');
  site.upstream.take();
  const stop = load();
  for (const garbage of ['garbage', good.slice(0, -20), '', '{"format":1,"sealed":"AAAA"}']) {
    writeFileSync(file, garbage);
    await sleep(refresh + 500);
  }
  const requests = await stop();
  t.diagnostic(`on ${runtime}, garbage in the store under ${rate} req/s: ${requests.length.toLocaleString('en')} requests, ${tally(requests)}`);
  // Instances that start meanwhile have nothing but the deployed one, which is in force again.
  assert.deepEqual(requests.filter(({ status, policy }) => status !== 200 || policy !== 'deployed').slice(0, 3), []);
  const log = site.log();
  assert.match(log, /it cannot be told which policy is in force, so the last good one stays: the entry `policy\/current`/);
  writeFileSync(file, good);
});
