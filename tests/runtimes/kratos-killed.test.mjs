import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createIdentity } from '../ory/identity.mjs';
import { loginApi, loginBrowser } from '../ory/login.mjs';
import { runtime } from './runtime.mjs';
import { rule, startSite, until } from './site.mjs';

// The real Kratos is killed under load and started again on the same database. EDGEKEEPER_KRATOS_DOWN says for how many
// seconds it is gone: 30 are what the project promises to survive, fewer are enough for every day.

const down = Number(process.env.EDGEKEEPER_KRATOS_DOWN ?? 8);
const password = 'correct horse battery';

let site;
let agent;

before(async () => {
  // What is remembered gets old within seconds, so that Kratos is needed all the time.
  const session = { ttl: '1s', stale_while_revalidate: '1s', stale_if_error: '10m' };
  site = await startSite({ rules: [rule('page')], kratos: true, edge: { session } });
  agent = new http.Agent({ keepAlive: true, maxSockets: 16 });
});
after(async () => {
  agent?.destroy();
  await site?.stop();
});

/** Someone's sessions, some of them cookies and some tokens, of which the gateway knows nothing. */
async function newSessions(email, count) {
  const person = { email, password };
  await createIdentity(site.kratos, person);
  const sessions = [];
  for (let n = 0; n < count; n++) {
    const { cookie, token } = n % 2 === 0 ? await loginBrowser(site.kratos.public, person) : await loginApi(site.kratos.public, person);
    sessions.push(cookie === undefined ? { 'x-session-token': token } : { cookie });
  }
  return sessions;
}

const page = (headers) => site.ask('http://page.test/', { headers: { accept: 'text/html', ...headers }, agent });

/** Asks with each of these sessions, again and again until it is told to end. Gives every answer. */
function load(sessions) {
  const answers = [];
  let going = true;
  const loops = sessions.map(async (headers) => {
    while (going) answers.push(await page(headers));
  });
  return {
    answers,
    async end() {
      going = false;
      await Promise.all(loops);
      return answers;
    },
  };
}

/** How many answers there are of each status. */
function counts(answers) {
  const byStatus = {};
  for (const { status } of answers) byStatus[status] = (byStatus[status] ?? 0) + 1;
  return JSON.stringify(byStatus);
}

test(`Kratos killed under load for ${down} s: who is known notices nothing, others get 503 until it is back`, async (t) => {
  const known = await newSessions('known@example.com', 6);
  const strangers = await newSessions('stranger@example.com', 12);
  const invented = { 'x-session-token': 'ory_st_invented' };
  for (const session of known) assert.equal((await page(session)).status, 200);

  const traffic = load(known);
  await until(async () => traffic.answers.length, (length) => length >= 100, 60);
  await site.kratos.kill();
  const before = traffic.answers.length;
  const gone = performance.now();
  const asked = [];
  while (performance.now() - gone < down * 1000) {
    for (const session of [...strangers, invented]) asked.push(await page(session));
    // A stranger asks again when it is told to, or a little sooner.
    await sleep(500);
  }
  const during = traffic.answers.length;
  await site.kratos.restart();
  const returned = [];
  for (const session of strangers) returned.push(await until(() => page(session), ({ status }) => status === 200, 30));
  const refused = await until(() => page(invented), ({ status }) => status !== 503, 30);
  assert.equal(refused.status, 302, 'what Kratos does not know is no session');
  const answers = await traffic.end();

  t.diagnostic(`${runtime}: known, before: ${counts(answers.slice(0, before))}`);
  t.diagnostic(`${runtime}: known, Kratos gone for ${down} s: ${counts(answers.slice(before, during))}`);
  t.diagnostic(`${runtime}: known, afterwards: ${counts(answers.slice(during))}`);
  t.diagnostic(`${runtime}: strangers, Kratos gone: ${counts(asked)}, afterwards: ${counts(returned)}`);
  assert.ok(answers.every(({ status }) => status === 200), 'who is known notices nothing');
  assert.ok(during > before, 'there was load');
  assert.match(site.log(), /"session":"stale"/, 'Kratos was needed');
  for (const answer of asked) {
    assert.equal(answer.status, 503, answer.text);
    assert.match(answer.header('retry-after'), /^\d+$/);
    assert.equal(answer.header('location'), undefined);
  }
});
