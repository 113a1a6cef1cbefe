import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createIdentity } from '../ory/identity.mjs';
import { loginApi } from '../ory/login.mjs';
import { rule, startSite } from './site.mjs';
import { json, session, startWhoamiStandIn } from './whoami-stand-in.mjs';

// Real people come from Kratos. Addresses that Kratos would not register come from the stand-in, because other
// sources of identities are less careful: an import, OIDC, another schema.

const password = 'correct horse battery';
const people = {
  ada: { email: 'ada@example.com' },
  dan: { email: 'dan@partner.example' },
  sub: { email: 'sue@dept.partner.example' },
  eve: { email: 'eve@evil.example' },
  new: { email: 'new@partner.example', verified: false },
};

const lists = {
  emails: { emails: ['ada@example.com'] },
  domains: { domains: ['partner.example'] },
  verified: { domains: ['partner.example'], require_verified: true },
};
const allowlist = (config) => ({ authorizer: { handler: 'allowlist', config } });
const matches = (...subjects) => ({ authorizer: { handler: 'allow', config: { subject_matches: subjects } } });

let site;
let standIn;

before(async () => {
  standIn = await startWhoamiStandIn();
  const lying = { authenticators: [{ handler: 'cookie_session', config: { check_session_url: 'http://stand-in:4433/sessions/whoami' } }] };
  site = await startSite({
    rules: [
      ...Object.entries(lists).map(([id, config]) => rule(id, allowlist(config))),
      rule('matches', matches('ada@example.com', '@partner.example')),
      rule('anyone'),
      ...Object.entries(lists).map(([id, config]) => rule(`lying-${id}`, { ...lying, ...allowlist(config) })),
      rule('lying-matches', { ...lying, ...matches('ada@example.com', 'example.com', 'subject-1') }),
    ],
    kratos: true,
    edge: {
      upstreams: { 'http://stand-in:4433': standIn.origin },
      rules: { anyone: { allowlist: { emails: ['dan@partner.example'] } } },
    },
  });
  for (const person of Object.values(people)) {
    await createIdentity(site.kratos, { ...person, password });
    person.token = (await loginApi(site.kratos.public, { ...person, password })).token;
  }
});
after(async () => {
  await site?.stop();
  await standIn?.stop();
});

for (const [list, why, allowed] of [
  ['emails', 'an allowlist of addresses', ['ada']],
  ['domains', 'an allowlist of domains, without their subdomains', ['dan', 'new']],
  ['verified', 'require_verified, by what Kratos has verified', ['dan']],
  ['matches', '`allow` with subject_matches', ['ada', 'dan', 'new']],
  ['anyone', 'an allowlist that edge.yml adds to a rule', ['dan']],
]) {
  test(`${why} lets in ${allowed.join(' and ')} and nobody else`, async () => {
    site.upstream.take();
    for (const [name, { token }] of Object.entries(people)) {
      const answer = await site.ask(`http://${list}.test/`, { headers: { 'x-session-token': token, accept: 'text/html' } });
      const status = allowed.includes(name) ? 200 : 403;
      assert.equal(answer.status, status, name);
      if (status === 403) assert.equal(answer.json().error.code, 403);
    }
    assert.equal(site.upstream.take().length, allowed.length, 'the upstream saw nobody else');
  });
}

test('an address that only looks like a listed one is refused', async () => {
  const addresses = [
    'a@evil.example@example.com',
    'ada@example.com@evil.example',
    '"ada@example.com"@evil.example',
    'ada@example.com.evil.example',
    'ada@evilexample.com',
    'ada@example.com ',
    'ada@example.com\u0000',
    'ada@example.com\n',
    'ADA@example.com',
    'ada@example。com',
    'dan@evil.example, dan@partner.example',
    '<dan@partner.example>',
    '@partner.example',
    'partner.example',
    '',
    ['ada@example.com'],
    { value: 'ada@example.com' },
    null,
  ];
  site.upstream.take();
  for (const [n, email] of addresses.entries()) {
    standIn.answerWith((response) => json(response, 200, session('subject', { identity: { id: 'subject-2', traits: { email } } })));
    for (const list of [...Object.keys(lists), 'matches']) {
      // `ADA@example.com` is on the domain that `matches` lists, and on no list of addresses.
      if (list === 'matches' && email === 'ADA@example.com') continue;
      const answer = await site.ask(`http://lying-${list}.test/`, { headers: { 'x-session-token': `ory_st_${n}` } });
      assert.equal(answer.status, 403, `${JSON.stringify(email)} on ${list}: ${answer.text}`);
    }
  }
  assert.deepEqual(site.upstream.take(), []);
});

test('a listed subject and a domain in other letters pass', async () => {
  for (const [n, identity] of [
    { id: 'subject-1', traits: {} },
    { id: 'subject-2', traits: { email: 'someone@EXAMPLE.com' } },
  ].entries()) {
    standIn.answerWith((response) => json(response, 200, session('subject', { identity })));
    const answer = await site.ask('http://lying-matches.test/', { headers: { 'x-session-token': `ory_st_good_${n}` } });
    assert.equal(answer.status, 200, JSON.stringify(identity));
  }
});
