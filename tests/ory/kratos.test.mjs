import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createIdentity, deleteIdentity, disableIdentity, revokeSession, revokeSessions } from './identity.mjs';
import { startKratos } from './kratos.mjs';
import { enrolTotp, loginApi, loginBrowser, logout, stepUp, whoami } from './login.mjs';
import { totpCode } from './totp.mjs';

// What the other tests build on: if one of these fails, the harness is broken, not the gateway.

let kratos;
let people = 0;

before(async () => {
  kratos = await startKratos({ cacheable: true });
});
after(() => kratos?.stop());

async function newPerson(extra = {}) {
  const person = { email: `person-${people++}@example.com`, password: 'correct horse battery', ...extra };
  return { ...person, ...(await createIdentity(kratos, person)) };
}

const logins = { browser: loginBrowser, api: loginApi };

for (const [kind, login] of Object.entries(logins)) {
  test(`${kind}: a login is a session until logout`, async () => {
    const person = await newPerson();
    const agent = await login(kratos.public, person);
    const answer = await whoami(agent);
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).identity.id, person.id);
    assert.match(answer.headers.get('ory-session-cache-for'), /^\d+$/);
    await logout(agent);
    assert.equal((await whoami(agent)).status, 401);
  });

  test(`${kind}: a session ends when the identity or the session is taken away`, async () => {
    const ends = {
      disabled: (person) => disableIdentity(kratos, person.id),
      deleted: (person) => deleteIdentity(kratos, person.id),
      revoked: (_, agent) => revokeSession(kratos, agent.session.id),
      'all revoked': (person) => revokeSessions(kratos, person.id),
    };
    for (const [how, end] of Object.entries(ends)) {
      const person = await newPerson();
      const agent = await login(kratos.public, person);
      await end(person, agent);
      assert.equal((await whoami(agent)).status, 401, how);
    }
  });

  test(`${kind}: a session needs the second factor once there is one`, async () => {
    const person = await newPerson();
    const secret = await enrolTotp(await login(kratos.public, person));
    const agent = await login(kratos.public, person);
    const refused = await whoami(agent);
    assert.equal(refused.status, 403);
    assert.equal((await refused.json()).error.id, 'session_aal2_required');
    const raised = await stepUp(agent, secret);
    const answer = await whoami(raised);
    assert.equal(answer.status, 200);
    assert.equal((await answer.json()).authenticator_assurance_level, 'aal2');
  });
}

test('a wrong password is refused with what Kratos says', async () => {
  const person = await newPerson();
  await assert.rejects(loginBrowser(kratos.public, { ...person, password: 'wrong' }), /400: The provided credentials are invalid/);
});

test('an unverified address is shown as unverified', async () => {
  const person = await newPerson({ verified: false, traits: { name: { first: 'Ada', last: 'Lovelace' } } });
  const { session } = await loginApi(kratos.public, person);
  assert.equal(session.identity.verifiable_addresses[0].verified, false);
  assert.deepEqual(session.identity.traits.name, { first: 'Ada', last: 'Lovelace' });
});

test('Kratos counts its own requests', async () => {
  const before = await kratos.requestCount('/sessions/whoami');
  for (let n = 0; n < 3; n++) await whoami({ origin: kratos.public });
  assert.equal((await kratos.requestCount('/sessions/whoami')) - before, 3);
});

test('TOTP codes are those of RFC 6238, appendix B', () => {
  const secret = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  assert.equal(totpCode(secret, 59_000), '287082');
  assert.equal(totpCode(secret, 1_111_111_109_000), '081804');
  assert.equal(totpCode(secret, 20_000_000_000_000), '353130');
});
