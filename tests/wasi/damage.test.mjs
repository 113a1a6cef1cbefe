import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { decodeJwt, decodeProtectedHeader } from 'jose';

import { damagedKeys, damagedRecords, secretsOf } from '../faults/damage.mjs';
import { until } from '../runtimes/site.mjs';
import { tokenOf } from '../runtimes/token.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';
import { session as sessionOf, startWhoamiStandIn } from '../runtimes/whoami-stand-in.mjs';
import { logged, policyFor, secret, startGateway } from './gateway.mjs';

// Entries of the folder that are not what the gateway wrote. Every request is answered by an instance of its own, so each is
// read again.

let upstream;
let standIn;
let gateway;
let folder;

before(async () => {
  upstream = await startUpstream();
  standIn = await startWhoamiStandIn();
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-tests-wasi-damage-'));
  gateway = await startGateway({
    policy: policyFor({ upstream: upstream.origin, whoami: standIn.origin }),
    state: folder,
    reuse: 1,
    api: { host: '127.0.0.1', port: 0 },
  });
});
after(async () => {
  await gateway?.stop();
  await standIn?.stop();
  await upstream?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

const credential = (id) => ({ 'x-session-token': `ory_st_${id}` });
const stored = (...names) => join(folder, 'store', ...names);

/** Asks for a token as somebody, who must be nobody else in it. Gives the key's name. */
async function kidFor(id) {
  upstream.take();
  const answer = await gateway.ask('http://token.test/', { headers: credential(id) });
  assert.equal(answer.status, 200, answer.text);
  const token = tokenOf(upstream.one());
  assert.equal(decodeJwt(token).sub, id);
  return decodeProtectedHeader(token).kid;
}

/** The log has none of these texts, and no credential. */
function assertSilentAbout(texts) {
  for (const text of [...texts, secret, 'ory_st_']) assert.ok(!gateway.log().includes(text), 'a secret is in the log');
  assert.doesNotMatch(gateway.log(), /worker failed|trap/);
}

test('an entry that is not the key signs nothing, is not published, is named in the log, and stays as it is', async () => {
  const kid = await kidFor('ada');
  const [period] = readdirSync(stored('keys'));
  const file = stored('keys', period);
  const entry = readFileSync(file, 'utf8');
  for (const [what, damaged] of Object.entries(damagedKeys(entry))) {
    const lines = gateway.log().length;
    writeFileSync(file, damaged);
    upstream.take();
    const answer = await gateway.ask('http://token.test/', { headers: credential('ada') });
    assert.ok([500, 503].includes(answer.status), `${what}: ${answer.status}`);
    assert.deepEqual(upstream.take(), [], `${what}: nothing goes on without its token`);
    assert.equal((await gateway.ask('http://page.test/', { headers: credential('ada') })).status, 200, what);
    const published = await fetch(`${gateway.apiOrigin}/.well-known/jwks.json`);
    const text = await published.text();
    for (const key of published.ok ? JSON.parse(text).keys : []) {
      assert.equal(key.kid, kid, `${what}: another key is published`);
      assert.equal(key.d, undefined);
    }
    await until(async () => gateway.log().slice(lines), (log) => log.includes(`keys/${period}`));
    assert.equal(readFileSync(file, 'utf8'), damaged, `${what}: it is not overwritten`);
    assertSilentAbout(secretsOf(damaged));
  }
  writeFileSync(file, entry);
  assert.equal(await kidFor('ada'), kid, 'with the entry back all is well');
});

test('a key under the name of another period signs nothing, and the right one goes on', async () => {
  const kid = await kidFor('ada');
  const [period] = readdirSync(stored('keys'));
  const next = stored('keys', String(Number(period) + 1));
  writeFileSync(next, readFileSync(stored('keys', period)));
  try {
    assert.equal(await kidFor('ada'), kid);
    const { keys } = await (await fetch(`${gateway.apiOrigin}/.well-known/jwks.json`)).json();
    assert.deepEqual(keys.map((key) => key.kid), [kid]);
  } finally {
    rmSync(next);
  }
});

test('an entry that is not what Kratos said counts nowhere: Kratos is asked', async () => {
  const known = new Set(readdirSync(stored('sessions')));
  /** The entry that somebody's request leaves. */
  const entryOf = async (id) => {
    assert.equal((await gateway.ask('http://page.test/', { headers: credential(id) })).status, 200);
    const [name] = readdirSync(stored('sessions')).filter((each) => !known.has(each) && /^[0-9a-f]{64}$/.test(each));
    known.add(name);
    return { name, text: readFileSync(stored('sessions', name), 'utf8') };
  };
  const eve = await entryOf('eve');
  const bob = await entryOf('bob');
  for (const [what, damaged] of Object.entries(damagedRecords(bob.text, eve.text, sessionOf('eve')))) {
    writeFileSync(stored('sessions', bob.name), damaged);
    const asked = standIn.asked;
    await kidFor('bob');
    assert.equal(standIn.asked, asked + 1, `${what}: Kratos is asked`);
    await kidFor('bob');
    assert.equal(standIn.asked, asked + 1, `${what}: and its answer is kept`);
    assertSilentAbout(secretsOf(damaged));
  }
  await logged(gateway, /a session in the store does not open/);
  assertSilentAbout([...secretsOf(bob.text), ...secretsOf(eve.text), 'eve@example.com', 'bob@example.com']);
});

test('other damaged entries about a session neither let nor keep anybody out', async () => {
  await kidFor('dan');
  const entries = () => readdirSync(stored('sessions'));
  const before = new Set(entries());
  await kidFor('fay');
  const [name] = entries().filter((each) => !before.has(each) && /^[0-9a-f]{64}$/.test(each));
  for (const text of ['', 'corrupt', '99999999999999999999 asking', 'x'.repeat(2 << 20)]) {
    rmSync(stored('sessions', name));
    writeFileSync(stored('sessions', `asking-${name}`), text);
    const answer = await gateway.ask('http://page.test/', { headers: credential('fay') });
    assert.equal(answer.status, 200, `${text.slice(0, 20)}: ${answer.text}`);
    rmSync(stored('sessions', `asking-${name}`), { force: true });
    assert.equal((await gateway.ask('http://page.test/', { headers: credential('fay') })).status, 200);
  }
});
