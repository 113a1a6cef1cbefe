import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { compilePolicy, withKeysOnFirstUse } from '../../scripts/gateway/policy.mjs';
import { startWasi } from '../../scripts/gateway/wasi.mjs';
import { send } from '../runtimes/client.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');
const component = join(root, 'build/wasi/edgekeeper.wasm');

/** Seals signing keys and sessions; of the length that the gateway asks for. */
export const secret = Buffer.alloc(32, 7).toString('base64');

/** A session at the stand-in for Kratos. */
export const session = { 'x-session-token': 'ory_st_ada' };

/**
 * A rules file for three hosts in front of one upstream: `open.test` asks for nothing, `page.test` for a session, and
 * `token.test` turns one into a token.
 * @param {string} upstream its origin
 * @returns {object[]}
 */
function rules(upstream) {
  const rule = (id, fields) => ({
    id,
    match: { url: `http://${id}.test/<.*>`, methods: ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] },
    upstream: { url: upstream },
    authenticators: [{ handler: 'cookie_session' }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'noop' }],
    ...fields,
  });
  return [
    rule('open', { authenticators: [{ handler: 'noop' }] }),
    rule('page', {}),
    rule('token', { mutators: [{ handler: 'id_token' }] }),
  ];
}

/**
 * The policy for the rules above.
 * @param {object} origins
 * @param {string} origins.upstream
 * @param {string} [origins.whoami] of a stand-in for Kratos
 * @returns {string}
 */
export function policyFor({ upstream, whoami = 'http://127.0.0.1:9' }) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-tests-wasi-'));
  try {
    const write = (name, value) => {
      const file = join(folder, name);
      writeFileSync(file, JSON.stringify(value));
      return file;
    };
    write('rules.json', rules(upstream));
    const config = write('oathkeeper.yml', {
      access_rules: { repositories: ['file://./rules.json'] },
      authenticators: {
        noop: { enabled: true },
        cookie_session: {
          enabled: true,
          config: { check_session_url: `${whoami}/sessions/whoami`, preserve_path: true, subject_from: 'identity.id' },
        },
      },
      authorizers: { allow: { enabled: true } },
      mutators: {
        noop: { enabled: true },
        id_token: { enabled: true, config: { issuer_url: 'http://issuer.test/', jwks_url: 'file:///jwks.json', ttl: '5m' } },
      },
      errors: { fallback: ['json'], handlers: { json: { enabled: true } } },
    });
    return withKeysOnFirstUse(compilePolicy(command, { config, edge: write('edge.yml', {}) }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * The gateway on wasmtime.
 * @typedef {import('../../scripts/gateway/wasi.mjs').Gateway & {
 *   log: () => string,
 *   ask: (url: string, ask?: import('../runtimes/client.mjs').Ask) => Promise<import('../runtimes/client.mjs').Answer>,
 * }} WasiGateway
 */

/**
 * Starts it on a port that the system chooses.
 * @param {Partial<Parameters<typeof startWasi>[0]>} options
 * @returns {Promise<WasiGateway>}
 */
export async function startGateway(options) {
  let printed = '';
  const gateway = await startWasi({
    component,
    keysSecret: secret,
    listen: { host: '127.0.0.1', port: 0 },
    log: { write: (chunk) => (printed += chunk) },
    ...options,
  });
  return { ...gateway, log: () => printed, ask: (url, ask) => send(gateway.origin, url, ask) };
}

/**
 * Waits until the log says something; it comes through a pipe, a moment after the answer.
 * @param {WasiGateway} gateway
 * @param {RegExp} pattern
 */
export async function logged(gateway, pattern) {
  for (let n = 0; n < 100 && !pattern.test(gateway.log()); n++) await sleep(20);
  assert.match(gateway.log(), pattern);
}

/**
 * What the log says of one subject.
 * @param {WasiGateway} gateway
 * @param {string} subject the value of `msg`
 * @returns {string[]} the reasons, in order
 */
export function reasons(gateway, subject) {
  return gateway
    .log()
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ msg, reason }) => msg === subject && reason)
    .map(({ reason }) => reason);
}
