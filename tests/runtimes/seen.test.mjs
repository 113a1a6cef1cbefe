import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { decodeProtectedHeader } from 'jose';

import { can } from './runtime.mjs';
import { open, rule, startSite, until, withToken } from './site.mjs';
import { tokenOf } from './token.mjs';
import { json, startWhoamiStandIn } from './whoami-stand-in.mjs';

// Where a session came from and which key signed is seen in `Server-Timing` and in the log.

const token = 'ory_st_ada';
const session = { 'x-session-token': token };

let standIn;
let site;

before(async () => {
  standIn = await startWhoamiStandIn();
  const rules = [rule('page', withToken), rule('open', open)];
  site = await startSite({ rules, whoami: standIn.origin, edge: { server_timing: true } });
});
after(async () => {
  await site?.stop();
  await standIn?.stop();
});

/** What an answer says of the gateway, as names with their descriptions. */
function timing(answer) {
  const entries = (answer.header('server-timing') ?? '').split(',').map((entry) => entry.trim().split(';'));
  return Object.fromEntries(entries.map(([name, value = '']) => [name, value.replace(/^desc="(.*)"$/, '$1')]));
}

test('an answer says where the session came from and which key signed, and so does the log', async () => {
  const first = await site.ask('http://page.test/first', { headers: session });
  assert.equal(first.status, 200, first.text);
  const { kid } = decodeProtectedHeader(tokenOf(site.upstream.one()));
  assert.deepEqual([timing(first).session, timing(first).key], ['miss', kid]);
  assert.match(timing(first).edge, /^dur=\d+$/);

  const again = await site.ask('http://page.test/again', { headers: session });
  const remembered = can.oneInstance ? ['hit'] : ['hit', 'shared'];
  assert.ok(remembered.includes(timing(again).session), timing(again).session);
  assert.equal(timing(again).key, kid);

  const lines = await until(
    () => site.log().split('\n').filter((line) => line.includes('"/first"')),
    ({ length }) => length === 1,
  );
  const line = JSON.parse(lines[0].slice(lines[0].indexOf('{')));
  assert.deepEqual([line.session, line.key, line.status], ['miss', kid, 200]);
});

test('answers of the gateway itself say so, too, and none holds a credential', async () => {
  standIn.answerWith((response) => json(response, 500, {}));
  try {
    for (const [url, headers, status, from] of [
      ['http://page.test/', {}, 401, undefined],
      ['http://page.test/', { 'x-session-token': 'ory_st_SECRET' }, 503, 'miss'],
      ['http://none.test/', {}, 404, undefined],
      ['http://open.test/', {}, 200, undefined],
    ]) {
      const answer = await site.ask(url, { headers });
      assert.equal(answer.status, status, url);
      assert.equal(timing(answer).session, from, url);
      assert.match(timing(answer).edge, /^dur=\d+$/, url);
      assert.doesNotMatch(answer.header('server-timing'), /ory_st|SECRET/, url);
    }
  } finally {
    standIn.answerWith();
  }
  assert.doesNotMatch(site.log(), /ory_st_/);
});
