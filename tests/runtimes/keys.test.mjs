import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { decodeJwt, decodeProtectedHeader } from 'jose';

import { send } from './client.mjs';
import { can } from './runtime.mjs';
import { open, rule, startSite, until, withToken } from './site.mjs';
import { fetchKeys, jwksPath, tokenOf } from './token.mjs';
import { startWhoamiStandIn } from './whoami-stand-in.mjs';

// What becomes of the signing keys when the gateway starts again.

const session = { 'x-session-token': 'ory_st_ada' };

let state;
let standIn;

before(async () => {
  state = mkdtempSync(join(tmpdir(), 'edgekeeper-state-'));
  standIn = await startWhoamiStandIn();
});
after(async () => {
  await standIn?.stop();
  rmSync(state, { recursive: true, force: true });
});

async function withSite(keysSecret, act) {
  const rules = [rule('page', withToken), rule('open', open)];
  const site = await startSite({ rules, whoami: standIn.origin, state, keysSecret });
  try {
    return await act(site);
  } finally {
    await site.stop();
  }
}

async function kidOf(site) {
  const answer = await site.ask('http://page.test/', { headers: session });
  assert.equal(answer.status, 200, answer.text);
  return decodeProtectedHeader(tokenOf(site.upstream.one())).kid;
}

test('keys outlive a restart under their secret; under another one no token is made, and the log names the entry', async () => {
  const secret = randomBytes(32).toString('base64');
  const other = randomBytes(32).toString('base64');
  const kid = await withSite(secret, kidOf);
  assert.equal(await withSite(secret, kidOf), kid, 'the same key signs');

  await withSite(other, async (site) => {
    const answer = await site.ask('http://page.test/', { headers: { ...session, accept: 'text/html' } });
    assert.equal(answer.status, 503);
    assert.deepEqual(answer.json(), {
      error: { code: 503, status: 'Service Unavailable', message: 'The token could not be signed; please try again' },
    });
    assert.deepEqual(site.upstream.take(), [], 'the request does not go on without a token');
    assert.equal((await send(site.api, `${site.api}${jwksPath}`)).status, 503, 'no keys is not an answer');
    assert.equal((await site.ask('http://open.test/')).status, 200, 'rules without tokens go on');

    const log = await until(async () => site.log(), (text) => text.includes('"status":503'));
    const [reason] = log.split('\n').filter((line) => line.includes('"msg":"keys"'));
    assert.match(JSON.parse(reason).reason, /"keys\/\d+"/, 'the entry is named');
    assert.match(JSON.parse(reason).reason, /KEYS_SECRET/, 'it is said what to look at');
    for (const text of [secret, other]) assert.ok(!log.includes(text), 'a secret is in the log');
  });

  assert.equal(await withSite(secret, kidOf), kid, 'nothing was lost by it');
});

test('a verifier that asks before the first token gets the key it will be signed with', async () => {
  const site = await startSite({ rules: [rule('page', withToken)], whoami: standIn.origin });
  try {
    const published = await send(site.api, `${site.api}${jwksPath}`);
    assert.equal(published.header('cache-control'), 'public, max-age=300');
    const kids = published.json().keys.map((key) => key.kid);
    assert.equal(kids.length, 1);
    assert.equal(await kidOf(site), kids[0], 'the other listener signs with it');
  } finally {
    await site.stop();
  }
});

test('many first requests at once make one key, and everybody gets a token of their own', async () => {
  const site = await startSite({ rules: [rule('page', withToken)], whoami: standIn.origin });
  try {
    const asks = Array.from({ length: 100 }, (_, n) => `person${n % 25}`);
    const answers = await Promise.all(asks.map((id) => site.ask(`http://page.test/${id}`, { headers: { 'x-session-token': `ory_st_${id}` } })));
    assert.ok(answers.every(({ status }) => status === 200), answers.find(({ status }) => status !== 200)?.text);
    const received = site.upstream.take();
    assert.equal(received.length, asks.length);
    for (const request of received) assert.equal(decodeJwt(tokenOf(request)).sub, request.target.slice(1));
    assert.equal(new Set(received.map((request) => decodeProtectedHeader(tokenOf(request)).kid)).size, 1, 'one key');
    const tokens = new Set(received.map(tokenOf)).size;
    if (can.oneInstance) assert.equal(tokens, 25, 'one token for each session');
  } finally {
    await site.stop();
  }
});
