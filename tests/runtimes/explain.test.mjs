import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';

import { SignJWT } from 'jose';

import { rule, startSite, until, withToken } from './site.mjs';
import { startWhoamiStandIn } from './whoami-stand-in.mjs';

// What a running gateway tells its operator of one request, and its log of each. `jose` signs as the operator.

const secret = randomBytes(32).toString('base64');
const url = 'http://tells.test/a?token=t0ken-in-the-query';
const cookie = 'ory_kratos_session=ory_st_ada';

let whoami;
let site;

before(async () => {
  whoami = await startWhoamiStandIn();
  site = await startSite({
    rules: [rule('tells', withToken), rule('near', { match: { url: 'http://tells.test/b/<.*>', methods: ['GET'] } })],
    whoami: whoami.origin,
    env: { OPERATOR_SECRET: secret, EXPLAIN: 'log' },
    edge: { operator: { secret: 'OPERATOR_SECRET' } },
  });
});
after(async () => {
  await site?.stop();
  await whoami?.stop();
});

function sign(claims = {}, key = secret) {
  const now = Math.floor(Date.now() / 1000);
  return new SignJWT({ aud: 'edgekeeper explain', htm: 'GET', htu: url, exp: now + 60, ...claims })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(Buffer.from(key));
}

test('the operator is told each step, and the request goes no further', async () => {
  site.upstream.take();
  const answer = await site.ask(url, { headers: { cookie, 'edge-explain': await sign() } });
  assert.equal(answer.status, 200, answer.text);
  assert.equal(answer.header('cache-control'), 'no-store');
  const { steps, outcome } = answer.json();
  const names = steps.map(({ step }) => step);
  for (const name of ['request', 'rule', 'session', 'authenticator', 'authorizer', 'mutator']) assert.ok(names.includes(name), names.join());
  assert.equal(steps.find(({ step }) => step === 'rule').id, 'tells');
  const { token } = steps.find(({ step }) => step === 'mutator');
  assert.equal(token.claims.email, 'ada@example.com');
  assert.equal(outcome.kind, 'forward');
  assert.match(outcome.url, /\/a\?token=\*\*\*$/);
  for (const hidden of ['ory_st_ada', 't0ken-in-the-query', secret]) assert.ok(!answer.text.includes(hidden), hidden);
  assert.doesNotMatch(answer.text, /Bearer ey/);
  assert.deepEqual(site.upstream.take(), [], 'the upstream was not asked');
});

test('nobody else is told anything', async () => {
  const other = randomBytes(32).toString('base64');
  for (const [statement, message] of [
    [await sign({}, other), "the statement is not signed with the operator's secret (a compact JWS with HS256)"],
    [await sign({ htu: 'http://tells.test/b/' }), 'the statement is for another request (`htm`, `htu`)'],
    [await sign({ htm: 'POST' }), 'the statement is for another request (`htm`, `htu`)'],
    [await sign({ aud: 'edgekeeper policy' }), 'the statement is for something else (`aud`)'],
    [await sign({ exp: 1 }), 'the statement has expired (`exp`)'],
  ]) {
    const answer = await site.ask(url, { headers: { cookie, 'edge-explain': statement } });
    assert.equal(answer.status, 401, answer.text);
    assert.equal(answer.json().error.message, message);
  }
});

test('the log of a deployment that wants it says why of each decision', async () => {
  const answer = await site.ask(url, { headers: { cookie } });
  assert.equal(answer.status, 200);
  const nobody = await site.ask('http://tells.test/nobody-asks-here');
  assert.equal(nobody.status, 401);
  const find = (path, status) =>
    site
      .log()
      .split('\n')
      .slice(0, -1) // the last one may be half a line
      .filter((text) => text.includes('"msg":"decision"'))
      .map((text) => JSON.parse(text.slice(text.indexOf('{'))))
      .find((line) => line.path === path && line.status === status && line.reason !== 'explained to the operator, not sent on');
  // It is written behind the answer.
  const line = async (path, status) => until(async () => find(path, status), (found) => found !== undefined);
  const forwarded = await line('/a', 200);
  assert.equal(forwarded.explanation.outcome.kind, 'forward');
  assert.equal(typeof forwarded.us, 'number');
  const refused = await line('/nobody-asks-here', 401);
  assert.equal(refused.explanation.outcome.status, 401);
  for (const hidden of ['ory_st_ada', 't0ken-in-the-query', secret]) assert.ok(!site.log().includes(hidden), hidden);
});
