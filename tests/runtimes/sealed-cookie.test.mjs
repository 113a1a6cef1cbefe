import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';

import { createIdentity } from '../ory/identity.mjs';
import { loginBrowser, logout } from '../ory/login.mjs';
import { open, rule, startSite } from './site.mjs';
import { json, startWhoamiStandIn } from './whoami-stand-in.mjs';

// What a browser carries of Kratos' answer. The second gateway shares nothing with the first but the secret: it is a data centre that
// the browser has not been to.

const named = { mutators: [{ handler: 'header' }] };
const rules = [rule('page', named), rule('other', named), rule('open', open)];
const edge = { server_timing: true, session: { sealed_cookie: true, cookies: ['ory_kratos_session', 'a'] } };
const ada = 'ory_kratos_session=ory_st_ada';

let standIn;
let first;
let second;
let real;

before(async () => {
  const keysSecret = randomBytes(32).toString('base64');
  standIn = await startWhoamiStandIn();
  first = await startSite({ rules, whoami: standIn.origin, edge, keysSecret });
  second = await startSite({ rules, whoami: standIn.origin, edge, keysSecret });
});
after(async () => {
  await real?.stop();
  await second?.stop();
  await first?.stop();
  await standIn?.stop();
});

const page = (site, cookie, host = 'page', path = '/') => site.ask(`http://${host}.test${path}`, { headers: { cookie } });
const from = (answer) => /session;desc="(\w+)"/.exec(answer.header('server-timing'))?.[1];

/** The cookie that the first gateway gives a browser of a person's, as the browser sends it. */
async function carried(person) {
  const answer = await page(first, person);
  assert.equal(answer.status, 200, answer.text);
  const [cookie] = ownCookies(answer);
  assert.match(cookie, /^edgekeeper_session=[\w.-]+; Max-Age=90; Path=\/; HttpOnly; SameSite=Lax$/);
  return cookie.split(';')[0];
}

function ownCookies(answer) {
  return answer.all('set-cookie').filter((cookie) => cookie.startsWith('edgekeeper_session='));
}

async function whileKratosFails(act) {
  standIn.answerWith((response) => json(response, 500, {}));
  try {
    return await act();
  } finally {
    standIn.answerWith();
  }
}

test('a gateway that never heard of a session goes by what the browser carries, and asks nobody', async () => {
  const own = await carried(ada);
  first.upstream.take();
  await whileKratosFails(async () => {
    const asked = standIn.asked;
    const answer = await page(second, `${own}; ${ada}; theme=dark`);
    assert.equal(answer.status, 200, answer.text);
    assert.equal(from(answer), 'cookie');
    assert.deepEqual(ownCookies(answer), [], 'it is not given out again');
    const received = second.upstream.one();
    assert.equal(received.header('x-user-id'), 'ada');
    assert.equal(received.header('cookie'), `${ada}; theme=dark`, 'the upstream does not see it');
    assert.equal(standIn.asked, asked);
  });
});

test('it is worth nothing for anybody else, anywhere else, or changed', async () => {
  const bob = 'ory_kratos_session=ory_st_bob';
  const own = await carried(bob);
  await whileKratosFails(async () => {
    for (const [what, cookie, host, status] of [
      ['alone', own, 'page', 401],
      ["with another's session", `ory_kratos_session=ory_st_eve; ${own}`, 'page', 503],
      ['on another host', `${bob}; ${own}`, 'other', 503],
      ['changed', `${bob}; ${own}A`, 'page', 503],
      ['twice', `${bob}; ${own}; ${own}`, 'page', 503],
    ]) {
      const answer = await page(second, cookie, host);
      assert.equal(answer.status, status, what);
    }
  });
  assert.deepEqual(second.upstream.take(), []);
});

test('an answer that changes the session takes it away, on whatever rule', async () => {
  for (const host of ['page', 'open']) {
    const answer = await page(first, 'ory_kratos_session=ory_st_cat', host, '/cookies');
    assert.equal(answer.status, 200, answer.text);
    assert.deepEqual(ownCookies(answer), ['edgekeeper_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax']);
    assert.equal(answer.all('set-cookie').length, 4, "the upstream's own are there");
  }
});

test('with the real Kratos: given at the first page, of no use after the logout', async () => {
  real = await startSite({ rules, kratos: true, edge });
  const person = { email: 'ada@example.com', password: 'correct horse battery' };
  await createIdentity(real.kratos, person);
  const agent = await loginBrowser(real.origin, person);
  const answer = await page(real, agent.cookie);
  assert.equal(answer.status, 200, answer.text);
  const [own] = ownCookies(answer);
  assert.ok(own, 'a real session fits into a cookie');
  const cookie = `${agent.cookie}; ${own.split(';')[0]}`;
  assert.equal((await page(real, cookie)).status, 200);
  await logout(agent);
  const after = await page(real, cookie);
  assert.equal(after.status, 401);
});
