import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { decodeJwt, decodeProtectedHeader } from 'jose';

import { damagedKeys, damagedRecords, secretsOf } from '../faults/damage.mjs';
import { tokenOf } from '../runtimes/token.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';
import { session as sessionOf, startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import { logged, policyFor, secret } from '../wasi/gateway.mjs';
import { application, reaching, startGateway } from './gateway.mjs';

// Entries of the key-value store that are not what the gateway wrote. Spin puts them there when it starts (`--key-value`).

let upstream;
let standIn;
let made;
let state;

before(async () => {
  upstream = await startUpstream();
  standIn = await startWhoamiStandIn();
  made = application(policyFor({ upstream: upstream.origin, whoami: standIn.origin }), reaching(upstream.origin, standIn.origin));
  state = mkdtempSync(join(tmpdir(), 'edgekeeper-tests-spin-damage-'));
});
after(async () => {
  made?.remove();
  await standIn?.stop();
  await upstream?.stop();
  if (state) rmSync(state, { recursive: true, force: true });
});

const credential = (id) => ({ 'x-session-token': `ory_st_${id}` });

/** Runs a gateway on the store, with some of its entries replaced. */
async function withGateway(entries, act) {
  const gateway = await startGateway({ from: made.from, state, entries, api: { host: '127.0.0.1', port: 0 } });
  try {
    await act(gateway);
    assert.doesNotMatch(gateway.log(), /trap:/);
    for (const text of [...entries.flatMap(({ value }) => secretsOf(value)), secret, 'ory_st_', 'eve@example.com']) {
      assert.ok(!gateway.log().includes(text), 'a secret is in the log');
    }
  } finally {
    await gateway.stop();
  }
}

/** The store's entries, by name: sqlite has a name and its value side by side. */
function stored() {
  const bytes = readdirSync(state)
    .filter((name) => name.startsWith('sqlite_key_value.db'))
    .map((name) => readFileSync(join(state, name), 'latin1'))
    .join('');
  const records = bytes.matchAll(/(sessions\/[0-9a-f]{64})(\d{10} [\w-]+)/g);
  const keys = bytes.matchAll(/(keys\/\d+)(\{"format":1,.*?"created":\d+\})/g);
  return new Map([...records, ...keys].map(([, name, value]) => [name, value]));
}

/** Asks for a token as somebody, who must be nobody else in it. Gives the key's name. */
async function kidFor(gateway, id) {
  upstream.take();
  const answer = await gateway.ask('http://token.test/', { headers: credential(id) });
  assert.equal(answer.status, 200, answer.text);
  const token = tokenOf(upstream.one());
  assert.equal(decodeJwt(token).sub, id);
  return decodeProtectedHeader(token).kid;
}

/** The names of the keys that are published, none of which is there with its private half. */
async function published(gateway) {
  const answer = await fetch(`${gateway.apiOrigin}/.well-known/jwks.json`);
  const { keys = [] } = await answer.json();
  for (const key of keys) assert.equal(key.d, undefined);
  return keys.map(({ kid }) => kid);
}

test('an entry that is not the key signs nothing, is not published and is named in the log; with the entry back all is well', async () => {
  let kid;
  await withGateway([], async (gateway) => (kid = await kidFor(gateway, 'ada')));
  const [[key, entry]] = [...stored()].filter(([name]) => name.startsWith('keys/'));
  const damaged = damagedKeys(entry);
  for (const what of [
    'text that is no JSON',
    'a damaged private half',
    "another's private half, not sealed",
    "another's public half with its name",
    'another time of making',
  ]) {
    await withGateway([{ key, value: damaged[what] }], async (gateway) => {
      upstream.take();
      const answer = await gateway.ask('http://token.test/', { headers: credential('ada') });
      assert.equal(answer.status, 503, what);
      assert.match(answer.header('retry-after'), /^\d+$/, what);
      assert.deepEqual(upstream.take(), [], `${what}: nothing goes on without its token`);
      assert.equal((await gateway.ask('http://page.test/', { headers: credential('ada') })).status, 200, what);
      assert.deepEqual((await published(gateway)).filter((each) => each !== kid), [], what);
      await logged(gateway, new RegExp(key));
    });
  }
  await withGateway([{ key, value: entry }], async (gateway) => {
    assert.equal(await kidFor(gateway, 'ada'), kid);
    assert.deepEqual(await published(gateway), [kid]);
  });
});

test('an entry that is not what Kratos said counts nowhere: Kratos is asked', async () => {
  /** Somebody's entry. */
  const entryOf = async (gateway, id) => {
    const before = stored();
    assert.equal((await gateway.ask('http://page.test/', { headers: credential(id) })).status, 200);
    const [[name, value]] = [...stored()].filter(([each]) => !before.has(each));
    return { name, value };
  };
  const entries = [];
  const wrong = [];
  await withGateway([], async (gateway) => {
    const eve = await entryOf(gateway, 'eve');
    for (const [n, what] of Object.keys(damagedRecords(eve.value, '', {})).entries()) {
      const { name, value } = await entryOf(gateway, `bob${n}`);
      wrong.push({ what, id: `bob${n}` });
      entries.push({ key: name, value: damagedRecords(value, eve.value, sessionOf('eve'))[what] });
    }
  });
  await withGateway(entries, async (gateway) => {
    for (const { what, id } of wrong) {
      const asked = standIn.asked;
      await kidFor(gateway, id);
      assert.equal(standIn.asked, asked + 1, `${what}: Kratos is asked`);
    }
    await kidFor(gateway, 'eve');
    await logged(gateway, /a session in the store does not open/);
  });
});
