import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { startKetoStandIn } from './keto-stand-in.mjs';
import { open, rule, startSite } from './site.mjs';
import { json, startWhoamiStandIn } from './whoami-stand-in.mjs';

// Whether a person may do this to that is Keto's to say, for every request anew.

const ketoName = 'http://keto-read:4466';
const tuples = ['files:a/b#view@ada', 'files:team#view@groups:ada#member'];

/** A rule that asks about the path behind the host. */
const keto = (config = {}) => ({
  authorizer: {
    handler: 'keto',
    config: { namespace: 'files', object: '{{ printIndex .MatchContext.RegexpCaptureGroups 0 }}', relation: 'view', ...config },
  },
});

let site;
let standIn;
let whoami;

before(async () => {
  [standIn, whoami] = await Promise.all([startKetoStandIn(tuples), startWhoamiStandIn()]);
  site = await startSite({
    rules: [
      rule('files', keto()),
      rule('team', keto({ subject_set: { namespace: 'groups', object: '{{ .Subject }}', relation: 'member' } })),
      rule('misnamed', keto({ namespace: 'flies' })),
      rule('unrelated', keto({ relation: 'own' })),
      rule('guests', { ...open, ...keto() }),
      rule('beside'),
    ],
    whoami: whoami.origin,
    edge: {
      authorizers: { keto: { config: { base_url: ketoName } } },
      upstreams: { [ketoName]: standIn.origin },
      rules: { beside: { keto: keto().authorizer.config } },
    },
  });
});
after(async () => {
  assert.doesNotMatch(site?.log() ?? '', /worker failed|panicked|trap/);
  await site?.stop();
  await standIn?.stop();
  await whoami?.stop();
});
beforeEach(() => {
  standIn.answerWith();
  standIn.asked.length = 0;
  standIn.tuples = new Set(tuples);
});

const ask = (url, person = 'ada') => site.ask(url, { headers: { cookie: `ory_kratos_session=ory_st_${person}` } });

test('whoever has the relation passes, and nobody else', async () => {
  assert.equal((await ask('http://files.test/a/b')).status, 200);
  assert.deepEqual(standIn.asked, [{ namespace: 'files', object: 'a/b', relation: 'view', subject_id: 'ada' }]);
  assert.equal((await ask('http://files.test/a/c')).status, 403);
  assert.equal((await ask('http://files.test/a/b', 'bob')).status, 403);
});

test('a subject can be whoever has a relation of its own', async () => {
  assert.equal((await ask('http://team.test/team')).status, 200);
  assert.deepEqual(standIn.asked[0].subject_set, { namespace: 'groups', object: 'ada', relation: 'member' });
  assert.equal((await ask('http://team.test/team', 'bob')).status, 403);
});

test('edge.yml asks besides a rule that Oathkeeper can read', async () => {
  assert.equal((await ask('http://beside.test/a/b')).status, 200);
  assert.equal((await ask('http://beside.test/a/c')).status, 403);
});

test('a permission that is taken away is gone with the next request', async () => {
  assert.equal((await ask('http://files.test/a/b')).status, 200);
  standIn.tuples.clear();
  assert.equal((await ask('http://files.test/a/b')).status, 403);
});

test('a rule that asks about what Keto does not know lets nobody in', async () => {
  assert.equal((await ask('http://misnamed.test/a/b')).status, 403);
  assert.equal((await ask('http://unrelated.test/a/b')).status, 500);
});

test('without a subject nobody is asked about', async () => {
  assert.equal((await site.ask('http://guests.test/a/b')).status, 403);
  assert.deepEqual(standIn.asked, []);
});

test('while Keto fails nobody passes, and everybody may try again', async () => {
  for (const fails of [
    (response) => json(response, 500, { allowed: true }),
    (response) => response.destroy(),
    (response) => response.writeHead(200).end('<html>allowed'),
    (response) => json(response, 200, { allowed: 'true' }),
  ]) {
    standIn.answerWith(fails);
    const answer = await ask('http://files.test/a/b');
    assert.equal(answer.status, 503);
    assert.ok(Number(answer.header('retry-after')) > 0);
  }
  standIn.answerWith();
  assert.equal((await ask('http://files.test/a/b')).status, 200);
});
