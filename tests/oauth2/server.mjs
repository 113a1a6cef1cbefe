import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { freePort } from '../../scripts/run/port.mjs';
import { start } from '../../scripts/run/process.mjs';

const run = promisify(execFile);
const installer = fileURLToPath(new URL('../../scripts/install/oauth2-server', import.meta.url));

/**
 * A client as `server/main.go` knows it.
 * @typedef {object} Client
 * @property {string} id
 * @property {string} secret
 */

/** A service with the scopes `read` and `write`; its tokens live an hour. */
export const service = { id: 'service', secret: 'secret of the service' };

/** A service whose tokens live two seconds. */
export const briefly = { id: 'briefly', secret: 'secret of the brief' };

/** A service whose id and secret are full of what RFC 6749 section 2.3.1 escapes. */
export const escaped = { id: 'per%cent', secret: 'a+b &c%' };

/** The gateway itself, whose tokens may introspect others. */
export const gateway = { id: 'gateway', secret: 'secret of the gateway' };

/** The audience that every client may ask for. */
export const audience = 'https://api.example.com';

/**
 * A running authorization server.
 * @typedef {object} OAuth2Server
 * @property {string} origin
 * @property {(client: Client, scope?: string, audience?: string) => Promise<string>} token gives a client a token
 * @property {(client: Client, token: string) => Promise<void>} revoke takes a client's token back
 * @property {() => Promise<void>} stop
 */

/**
 * Boots an authorization server on fosite, Hydra's own engine, on loopback.
 * @returns {Promise<OAuth2Server>}
 */
export async function startOAuth2Server() {
  const { stdout } = await run(installer, { maxBuffer: 1 << 26 });
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-oauth2-'));
  const server = start(stdout.trim(), ['-listen', `127.0.0.1:${port}`], {
    name: 'the OAuth 2.0 server',
    logFile: join(folder, 'oauth2.log'),
  });
  const stop = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await server.answers(`${origin}/health/ready`);
  } catch (error) {
    await stop();
    throw error;
  }
  const post = async (path, client, form) => {
    const response = await fetch(origin + path, {
      method: 'POST',
      headers: { authorization: basic(client) },
      body: new URLSearchParams(form),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
    return text;
  };
  return {
    origin,
    token: async (client, scope = 'read', forAudience = audience) => {
      const form = { grant_type: 'client_credentials', scope, audience: forAudience };
      return JSON.parse(await post('/oauth2/token', client, form)).access_token;
    },
    revoke: async (client, token) => {
      await post('/oauth2/revoke', client, { token });
    },
    stop,
  };
}

/**
 * A client as `Authorization` has it (RFC 6749 section 2.3.1).
 * @param {Client} client
 * @returns {string}
 */
export function basic({ id, secret }) {
  const part = (text) => new URLSearchParams({ '': text }).toString().slice(1);
  return `Basic ${Buffer.from(`${part(id)}:${part(secret)}`).toString('base64')}`;
}
