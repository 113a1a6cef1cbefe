import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { createIdentity } from '../ory/identity.mjs';
import { loginApi } from '../ory/login.mjs';
import { rule, startSite, until, withToken } from './site.mjs';
import { verify } from './token.mjs';

const person = { email: 'ada@example.com', password: 'correct horse battery' };

let site;

before(async () => {
  // An answer of Kratos is remembered for a minute and more, but sessions live ten seconds: enough for a slow machine to
  // sign in and ask once.
  site = await startSite({ rules: [rule('page', withToken)], kratos: { sessionLifespan: '10s' } });
  await createIdentity(site.kratos, person);
});
after(() => site?.stop());

test('a remembered session ends when Kratos says that it does, and its token with it', async () => {
  const { token, session } = await loginApi(site.origin, person);
  const end = Date.parse(session.expires_at);
  const ask = () => site.ask('http://page.test/', { headers: { 'x-session-token': token } });

  site.upstream.take();
  assert.equal((await ask()).status, 200);
  const payload = await verify(site, site.upstream.one());
  assert.ok(payload.exp * 1000 <= end, 'the token does not outlive the session');

  const asked = await site.kratos.requestCount('/sessions/whoami');
  let last = 0;
  const askOnce = async () => {
    const sent = Date.now();
    const { status } = await ask();
    if (status === 200) last = sent;
    return status;
  };
  await until(askOnce, (status) => status === 401, 20);
  assert.ok(last <= end, `${last - end} ms after its end it was still let through`);
  const whoami = (await site.kratos.requestCount('/sessions/whoami')) - asked;
  assert.ok(whoami <= 2, `until then Kratos was asked ${whoami} times`);
});
