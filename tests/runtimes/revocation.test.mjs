import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { startFlow, submitFlow } from '../ory/flow.mjs';
import { createIdentity, revokeSession, revokeSessions } from '../ory/identity.mjs';
import { loginBrowser, logout } from '../ory/login.mjs';
import { revokeBody } from '../ory/revoke-body.mjs';
import { send } from './client.mjs';
import { rule, startSite } from './site.mjs';

// How long a session that has ended is let in, with the real Kratos: at the listener that hears of it and at the other
// one, which is an instance of its own. The bounds are those of docs/revocation.md.

const secret = randomBytes(32).toString('base64');
const password = 'correct horse battery';
const rules = [rule('page')];
const check = 1_000; // session.revocation_check, in milliseconds
const slack = 700; // for a machine that is busy

let site;
let people = 0;

before(async () => {
  site = await startSite({
    rules,
    env: { REVOCATION_SECRET: secret },
    edge: { session: { ttl: '60s', revocation_check: '1s', revocation_secret: 'REVOCATION_SECRET' } },
    kratos: { config: (origin) => ({ selfservice: { flows: { settings: { after: { password: { hooks: hooks(origin) } } } } } }) },
  });
});
after(() => site?.stop());

/** As docs/revocation.md has it. */
function hooks(origin) {
  const body = `base64://${Buffer.from(revokeBody(secret)).toString('base64')}`;
  return [
    { hook: 'revoke_active_sessions' },
    { hook: 'web_hook', config: { url: `${origin}/.edge/sessions/revoke`, method: 'POST', body } },
  ];
}

async function newPerson(at = site) {
  const person = { email: `person-${people++}@example.com`, password };
  return { ...person, ...(await createIdentity(at.kratos, person)) };
}

const listeners = (at) => ({
  proxy: (cookie) => at.ask('http://page.test/', { headers: { cookie } }),
  api: (cookie) => send(at.api, 'http://page.test/decisions/', { headers: { cookie } }),
});

/** Every instance knows the session, and has been asked for it a moment ago. */
async function isKnown(at, cookie) {
  for (let n = 0; n < 5; n++) {
    for (const ask of Object.values(listeners(at))) assert.equal((await ask(cookie)).status, 200);
    await sleep(50);
  }
}

/** How many milliseconds pass until each listener has refused five times in a row, from now on. */
async function untilRefused(at, cookie, longest) {
  const began = performance.now();
  const took = {};
  await Promise.all(
    Object.entries(listeners(at)).map(async ([name, ask]) => {
      for (let refused = 0; refused < 5; ) {
        const { status } = await ask(cookie);
        const passed = Math.round(performance.now() - began);
        assert.ok(status === 200 || status === 401, `${name}: ${status}`);
        if (status === 200) {
          refused = 0;
          assert.ok(passed <= longest, `${name}: let in ${passed} ms after it ended; the bound is ${longest} ms`);
          took[name] = passed;
        } else {
          refused++;
        }
        await sleep(20);
      }
    }),
  );
  return `last let in after ${took.proxy ?? 0} ms (proxy), ${took.api ?? 0} ms (api)`;
}

/** A message, signed as docs/revocation.md says. */
function message(claims) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part(claims)}`;
  return JSON.stringify({ token: `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}` });
}

const inAMinute = () => Math.floor(Date.now() / 1000) + 60;

async function tell(at, body) {
  return at.ask('http://page.test/.edge/sessions/revoke', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
}

test('a logout through the gateway', async (t) => {
  const agent = await loginBrowser(site.origin, await newPerson());
  await isKnown(site, agent.cookie);
  await logout(agent);
  assert.equal((await site.ask('http://page.test/', { headers: { cookie: agent.cookie } })).status, 401, 'at once where it was seen');
  t.diagnostic(`logout through the gateway: ${await untilRefused(site, agent.cookie, 1_000 + slack)}`);
});

test('a new password, by a hook that Kratos signs', async (t) => {
  const person = await newPerson();
  const laptop = await loginBrowser(site.kratos.public, person);
  const phone = await loginBrowser(site.kratos.public, person);
  for (const { cookie } of [laptop, phone]) await isKnown(site, cookie);
  // Past the gateway, so that nothing but the hook tells of it.
  const flow = await startFlow(laptop, 'settings');
  await submitFlow(laptop, flow, { method: 'password', password: `${password} 2` });
  t.diagnostic(`a new password and the hook: ${await untilRefused(site, phone.cookie, check + slack)}`);
  await isKnown(site, laptop.cookie);
});

test('a second new password in the same flow is another message', async () => {
  const person = await newPerson();
  const laptop = await loginBrowser(site.kratos.public, person);
  const flow = await startFlow(laptop, 'settings');
  for (const more of [' 2', ' 3']) {
    const phone = await loginBrowser(site.kratos.public, { ...person, password: more === ' 2' ? password : `${password} 2` });
    await isKnown(site, phone.cookie);
    await submitFlow(laptop, flow, { method: 'password', password: password + more });
    await untilRefused(site, phone.cookie, check + slack);
  }
});

test('all sessions of a person, or one, deleted in Kratos and told to the gateway', async (t) => {
  for (const [what, end] of [
    ['all sessions', async ({ id }) => (await revokeSessions(site.kratos, id), { sub: id })],
    ['one session', async (_, { session }) => (await revokeSession(site.kratos, session.id), { sid: session.id })],
  ]) {
    const person = await newPerson();
    const agent = await loginBrowser(site.kratos.public, person);
    await isKnown(site, agent.cookie);
    const body = message({ ...(await end(person, agent)), exp: inAMinute() });
    for (const time of ['first', 'again']) {
      const answer = await tell(site, body);
      assert.equal(answer.status, 204, `${time}: ${answer.text}`);
    }
    t.diagnostic(`${what}, deleted by the admin API, and the hook: ${await untilRefused(site, agent.cookie, check + slack)}`);
  }
});

test('a message that ends nothing in Kratos costs a question', async () => {
  const person = await newPerson();
  const { cookie } = await loginBrowser(site.kratos.public, person);
  await isKnown(site, cookie);
  const asked = await site.kratos.requestCount('/sessions/whoami');
  assert.equal((await tell(site, message({ sub: person.id, exp: inAMinute() }))).status, 204);
  await sleep(check + slack);
  await isKnown(site, cookie);
  assert.ok((await site.kratos.requestCount('/sessions/whoami')) > asked);
});

test('who does not know the secret revokes nothing', async () => {
  const person = await newPerson();
  const { cookie } = await loginBrowser(site.kratos.public, person);
  await isKnown(site, cookie);
  const asked = await site.kratos.requestCount('/sessions/whoami');
  const { token } = JSON.parse(message({ sub: person.id, exp: inAMinute() }));
  const forged = JSON.stringify({ token: token.replace(/.$/, (last) => (last === 'A' ? 'Q' : 'A')) });
  assert.equal((await tell(site, forged)).status, 401);
  assert.equal((await tell(site, 'x')).status, 400);
  assert.equal((await tell(site, message({ sub: person.id, exp: 1 }))).status, 400);
  await sleep(check + slack);
  await isKnown(site, cookie);
  assert.equal(await site.kratos.requestCount('/sessions/whoami'), asked);
});

test('deleted in Kratos, and nobody told the gateway', async (t) => {
  const ttl = 3_000;
  const silent = await startSite({ rules, kratos: true, edge: { session: { ttl: '3s', stale_while_revalidate: '0s' } } });
  try {
    const person = await newPerson(silent);
    const { cookie } = await loginBrowser(silent.kratos.public, person);
    await isKnown(silent, cookie);
    await revokeSessions(silent.kratos, person.id);
    t.diagnostic(`deleted by the admin API, without a hook, ttl 3 s: ${await untilRefused(silent, cookie, ttl + slack)}`);
  } finally {
    await silent.stop();
  }
});
