import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { before, test } from 'node:test';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';

import { revokeBody } from './revoke-body.mjs';

// deploy/kratos/revoke.jsonnet as Kratos evaluates it: what it signs is what node:crypto signs.

const installer = fileURLToPath(new URL('../../scripts/install/kratos', import.meta.url));
const longest = 1_000; // milliseconds that Kratos gives a Jsonnet program

let kratos;
before(async () => {
  const { stdout } = await promisify(execFile)(installer, { maxBuffer: 1 << 26 });
  kratos = stdout.trim();
});

function evaluate(secret, ctx) {
  const parameters = { Filename: 'revoke.jsonnet', Snippet: revokeBody(secret), TLACodes: [{ Key: 'ctx', Value: JSON.stringify(ctx) }] };
  return execFileSync(kratos, ['jsonnet'], { input: JSON.stringify(parameters), stdio: ['pipe', 'pipe', 'pipe'] }).toString();
}

function context({ id = '9f425a8d-7efc-4768-8f23-7647a74fdf13', expires = '2026-03-01T00:00:00Z', token = 'one' } = {}) {
  return { identity: { id }, flow: { id: 'a-flow', expires_at: expires, ui: { token } }, request_cookies: {} };
}

const claimsOf = (body) => JSON.parse(Buffer.from(JSON.parse(body).token.split('.')[1], 'base64url'));


/** Lengths of the secret and the message around the blocks of SHA-256. */
test('the signature is HMAC-SHA256, whatever the lengths', (t) => {
  let slowest = 0;
  for (const secretLength of [32, 43, 64, 65]) {
    for (const idLength of [1, 2, 3, 36, 46, 47, 48]) {
      const secret = randomBytes(secretLength).toString('base64url').slice(0, secretLength);
      const began = performance.now();
      const { token } = JSON.parse(evaluate(secret, context({ id: 'i'.repeat(idLength) })));
      slowest = Math.max(slowest, performance.now() - began);
      const [header, claims, signature] = token.split('.');
      const right = createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url');
      assert.equal(signature, right, `a secret of ${secretLength}, an id of ${idLength}`);
      assert.deepEqual(JSON.parse(Buffer.from(header, 'base64url')), { alg: 'HS256', typ: 'JWT' });
    }
  }
  t.diagnostic(`the slowest took ${Math.round(slowest)} ms, with the start of a process; Kratos gives it ${longest} ms`);
});

test('a secret beyond ASCII is its UTF-8', () => {
  const secret = 'ein längeres Geheimnis für Widerrufe €';
  const [header, claims, signature] = JSON.parse(evaluate(secret, context())).token.split('.');
  assert.equal(signature, createHmac('sha256', secret).update(`${header}.${claims}`).digest('base64url'));
});

test('the claims are the identity, the end of the flow in Unix seconds, and a name of the change', () => {
  for (const expires of ['1970-01-01T00:00:00Z', '2024-02-29T23:59:59.999999999Z', '2026-03-01T00:00:00Z', '2026-12-31T12:30:01.5Z', '2100-02-28T01:02:03Z', '2100-03-01T00:00:00Z']) {
    const { jti, ...claims } = claimsOf(evaluate('s'.repeat(32), context({ expires })));
    assert.deepEqual(claims, { sub: '9f425a8d-7efc-4768-8f23-7647a74fdf13', exp: Math.floor(Date.parse(expires) / 1000) });
    assert.match(jti, /^a-flow-[0-9a-f]{32}$/);
  }
});

test('the same form sent again is the same message, and another form another one', () => {
  const [one, again, two] = ['one', 'one', 'two'].map((token) => evaluate('s'.repeat(32), context({ token })));
  assert.equal(one, again);
  assert.notEqual(claimsOf(one).jti, claimsOf(two).jti);
});

test('nothing is signed without a secret, or for a time that it cannot read', () => {
  assert.throws(() => evaluate('too short', context()), /write the secret that `session.revocation_secret`/);
  assert.throws(() => evaluate('s'.repeat(32), context({ expires: '2026-03-01T00:00:00+01:00' })), /is not in UTC/);
});
