// OAuth 2.0 against a server on fosite, the engine inside Ory Hydra.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { audience, basic, briefly, escaped, gateway, service } from './server.mjs';
import { rule, startSite } from './site.mjs';

const introspection = (config = {}) => ({ handler: 'oauth2_introspection', config });
const credentials = (config = {}) => ({ handler: 'oauth2_client_credentials', config });
const anonymous = { handler: 'anonymous' };
const cache = { enabled: true, ttl: '60s' };

const rules = [
  rule('read', introspection({ required_scope: ['read'], target_audience: [audience] })),
  rule('write', introspection({ required_scope: ['write'] })),
  rule('other', introspection({ target_audience: ['https://other.example.com'] })),
  rule('server-compares', introspection({ required_scope: ['write'], scope_strategy: 'none' })),
  rule('cached', introspection({ cache })),
  rule('cached-write', introspection({ cache, required_scope: ['write'] })),
  rule('shut-out', introspection({ pre_authorization: { client_secret: 'wrong' } })),
  rule('client', credentials(), [anonymous]),
  rule('client-write', credentials({ required_scope: ['write'] })),
  rule('client-cached', credentials({ cache })),
];

for (const strict of [false, true]) {
  describe(strict ? 'strict mode' : 'default mode', () => {
    /** @type {import('./site.mjs').Site} */
    let site;
    before(async () => {
      site = await startSite(rules, { strict });
    });
    after(() => site?.stop());

    const bearer = (id, token) => site.ask(id, `Bearer ${token}`);
    const error = (answer) => answer.json().error;

    test('a token that the server knows says to the upstream who it is', async () => {
      const token = await site.server.token(service, 'read write');
      site.upstream.take();
      const answer = await bearer('read', token);
      assert.equal(answer.status, 200);
      const request = site.upstream.one();
      assert.equal(request.header('x-subject'), 'service');
      assert.equal(request.header('x-client'), 'service');
      assert.equal(request.header('x-scope'), 'read write');
    });

    test('a scope that was not granted is 403, whoever compares it', async () => {
      const token = await site.server.token(service, 'read');
      assert.equal((await bearer('read', token)).status, 200);
      const denied = await bearer('write', token);
      assert.equal(denied.status, 403);
      assert.equal(error(denied).reason, 'Scope write was not granted');
      // The server calls such a token inactive.
      assert.equal((await bearer('server-compares', token)).status, 401);
      const both = await site.server.token(service, 'read write');
      assert.equal((await bearer('server-compares', both)).status, 200);
    });

    test('a token for another audience is 403', async () => {
      const token = await site.server.token(service);
      assert.equal((await bearer('other', token)).status, 403);
    });

    test('a revoked token is 401', async () => {
      const token = await site.server.token(service);
      assert.equal((await bearer('read', token)).status, 200);
      await site.server.revoke(service, token);
      const answer = await bearer('read', token);
      assert.equal(answer.status, 401);
      assert.equal(error(answer).reason, 'Access token is not active');
    });

    test('a token that has ended is 401, remembered or not', async () => {
      const token = await site.server.token(briefly);
      const begun = Date.now();
      assert.equal((await bearer('cached', token)).status, 200);
      // Its end is a whole second, two seconds on at most.
      await sleep(Math.max(0, begun + 2_100 - Date.now()));
      assert.equal((await bearer('cached', token)).status, 401);
      assert.equal((await bearer('read', token)).status, 401);
    });

    test('what is no token of the server is 401', async () => {
      const token = await site.server.token(service);
      for (const wrong of ['nonsense', `${token}x`, token.slice(0, -1), 'ory_at_x.y']) {
        assert.equal((await bearer('read', wrong)).status, 401, wrong);
      }
      assert.equal((await site.ask('read')).status, 401);
      assert.equal((await site.ask('read', basic(service))).status, 401);
    });

    test('a remembered token is judged by every rule anew', async () => {
      const token = await site.server.token(service, 'read');
      assert.equal((await bearer('cached', token)).status, 200);
      assert.equal((await bearer('cached-write', token)).status, 403);
      assert.equal((await bearer('cached', token)).status, 200);
    });

    test('a server that does not let the gateway ask is no verdict on the token', async () => {
      const token = await site.server.token(service);
      const answer = await bearer('shut-out', token);
      assert.equal(answer.status, strict ? 500 : 503);
      assert.equal(answer.header('retry-after'), strict ? undefined : '5');
      assert.ok(!answer.text.includes('wrong'), answer.text);
    });

    test('a client with its secret gets in as itself', async () => {
      site.upstream.take();
      for (const client of [service, escaped]) {
        assert.equal((await site.ask('client', basic(client))).status, 200, client.id);
        assert.equal(site.upstream.one().header('x-subject'), client.id);
      }
      assert.equal((await site.ask('client-write', basic(service))).status, 200);
      assert.equal((await site.ask('client')).status, 200, 'a guest');
      assert.equal(site.upstream.take().at(-1).header('x-subject'), 'guest');
    });

    test('a wrong secret, an unknown client, a scope it may not have are 401', async () => {
      const wrong = { ...service, secret: 'wrong' };
      for (const id of ['client', 'client-cached']) {
        assert.equal((await site.ask(id, basic(wrong))).status, 401, id);
        assert.equal((await site.ask(id, basic({ id: 'nobody', secret: 'x' }))).status, 401, id);
      }
      assert.equal((await site.ask('client-write', basic(briefly))).status, 401);
      assert.equal((await site.ask('client-cached', basic(service))).status, 200);
      assert.equal((await site.ask('client-cached', basic(wrong))).status, 401, 'another secret is not remembered for it');
    });

    test('no line of log holds a token or a secret', async () => {
      const token = await site.server.token(service);
      await bearer('read', token);
      await bearer('write', token);
      await site.ask('client', basic(service));
      const log = site.log();
      for (const secret of [token, basic(service), service.secret, gateway.secret]) {
        assert.ok(!log.includes(secret));
      }
    });
  });
}
