import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { send } from '../runtimes/client.mjs';
import { choosePorts, startRuntime } from '../runtimes/runtime.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';
import { gateway as own, startOAuth2Server } from './server.mjs';

// The names in the rules are those of a cluster; `upstreams` in edge.yml says where they are in this run.
const serverName = 'http://hydra:4444';
const upstreamName = 'http://web:3000';

const config = {
  access_rules: { repositories: ['file://./access-rules.json'] },
  authenticators: {
    anonymous: { enabled: true, config: { subject: 'guest' } },
    oauth2_introspection: {
      enabled: true,
      config: {
        introspection_url: `${serverName}/oauth2/introspect`,
        scope_strategy: 'exact',
        pre_authorization: {
          enabled: true,
          client_id: own.id,
          client_secret: own.secret,
          token_url: `${serverName}/oauth2/token`,
          scope: ['introspect'],
        },
      },
    },
    oauth2_client_credentials: { enabled: true, config: { token_url: `${serverName}/oauth2/token` } },
  },
  authorizers: { allow: { enabled: true } },
  mutators: {
    header: {
      enabled: true,
      config: { headers: { 'X-Subject': '{{ print .Subject }}', 'X-Scope': '{{ print .Extra.scope }}', 'X-Client': '{{ print .Extra.client_id }}' } },
    },
  },
  errors: { handlers: { json: { enabled: true, config: { verbose: true } } } },
};

/**
 * A rule for everything on the host `<id>.test`.
 * @param {string} id
 * @param {object} authenticator with its configuration
 * @param {object[]} [others] authenticators behind it
 * @returns {object}
 */
export function rule(id, authenticator, others = []) {
  return {
    id,
    match: { url: `http://${id}.test/<.*>`, methods: ['GET', 'POST'] },
    upstream: { url: upstreamName },
    authenticators: [authenticator, ...others],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'header' }],
  };
}

/**
 * The gateway between an authorization server and an upstream.
 * @typedef {object} Site
 * @property {import('./server.mjs').OAuth2Server} server
 * @property {import('../runtimes/upstream.mjs').Upstream} upstream
 * @property {(id: string, authorization?: string) => Promise<import('../runtimes/client.mjs').Answer>} ask
 * @property {() => string} log
 * @property {() => Promise<void>} stop
 */

/**
 * @param {object[]} rules
 * @param {{ strict?: boolean }} [options]
 * @returns {Promise<Site>}
 */
export async function startSite(rules, { strict = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-oauth2-site-'));
  const parts = [{ stop: () => rmSync(folder, { recursive: true, force: true }) }];
  const stop = async () => {
    for (const part of parts.toReversed()) await part.stop();
  };
  try {
    const server = await startOAuth2Server();
    parts.push(server);
    const upstream = await startUpstream();
    parts.push(upstream);
    const { port, apiPort } = await choosePorts();
    const write = (name, value) => {
      const file = join(folder, name);
      writeFileSync(file, JSON.stringify(value, null, 2));
      return file;
    };
    write('access-rules.json', rules);
    const gateway = await startRuntime({
      folder,
      config: write('oathkeeper.yml', config),
      edge: write('edge.yml', { upstreams: { [serverName]: server.origin, [upstreamName]: upstream.origin } }),
      port,
      apiPort,
      strict,
    });
    parts.push(gateway);
    return {
      server,
      upstream,
      ask: (id, authorization) => send(gateway.origin, `http://${id}.test/x`, { headers: authorization ? { authorization } : {} }),
      log: gateway.log,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
