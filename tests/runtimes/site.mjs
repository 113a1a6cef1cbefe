import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { startKratos } from '../ory/kratos.mjs';
import { send } from './client.mjs';
import { choosePorts, startRuntime } from './runtime.mjs';
import { startUpstream } from './upstream.mjs';

// The names in the rules are those of a cluster; `upstreams` in edge.yml says where they are in this run.
const kratosName = 'http://kratos-public:4433';
const upstreamName = 'http://web:3000';

/** The claims of every token, unless a rule has others. */
const claims = `{
  "email": "{{ print .Extra.identity.traits.email }}",
  "name": "{{ print .Extra.identity.traits.name.first }}",
  "sid": "{{ print .Extra.id }}"
}`;

/** Where a browser is sent to sign in. */
export const loginUrl = 'https://login.test/self-service/login/browser';

/**
 * A rule for everything on the host `<id>.test`: a Kratos session is asked for, the upstream gets the request.
 * @param {string} id
 * @param {object} [fields] other members of the rule
 * @returns {object}
 */
export function rule(id, fields = {}) {
  return {
    id,
    match: { url: `http://${id}.test/<.*>`, methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] },
    upstream: { url: upstreamName },
    authenticators: [{ handler: 'cookie_session' }],
    authorizer: { handler: 'allow' },
    mutators: [{ handler: 'noop' }],
    ...fields,
  };
}

/**
 * Members of a rule that asks for nothing and changes nothing.
 * @type {object}
 */
export const open = { authenticators: [{ handler: 'noop' }] };

/**
 * Members of a rule that tells the upstream who is there by a token.
 * @type {object}
 */
export const withToken = { mutators: [{ handler: 'id_token' }] };

/** Browsers come to Kratos through the gateway, on the gateway's own origin. */
function kratosRule(port) {
  return rule('kratos', {
    ...open,
    match: { url: `http://127.0.0.1:${port}/<(self-service|sessions)/.*>`, methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] },
    upstream: { url: kratosName, preserve_host: true },
  });
}

function oathkeeper(port, { authenticators = {}, cookieSession = {}, authorizers = {}, idToken = {}, serve = {} }) {
  return {
    access_rules: { repositories: ['file://./access-rules.json'] },
    authenticators: {
      noop: { enabled: true },
      anonymous: { enabled: true, config: { subject: 'guest' } },
      unauthorized: { enabled: true },
      cookie_session: {
        enabled: true,
        config: {
          check_session_url: `${kratosName}/sessions/whoami`,
          preserve_path: true,
          preserve_query: true,
          extra_from: '@this',
          subject_from: 'identity.id',
          only: ['ory_kratos_session'],
          ...cookieSession,
        },
      },
      ...authenticators,
    },
    authorizers: { allow: { enabled: true }, deny: { enabled: true }, ...authorizers },
    mutators: {
      noop: { enabled: true },
      header: { enabled: true, config: { headers: { 'X-User-Id': '{{ print .Subject }}' } } },
      id_token: {
        enabled: true,
        config: { issuer_url: `http://127.0.0.1:${port}/`, jwks_url: 'file:///etc/secrets/id_token.jwks.json', ttl: '5m', claims, ...idToken },
      },
    },
    errors: {
      fallback: ['redirect', 'json'],
      handlers: {
        json: { enabled: true },
        redirect: {
          enabled: true,
          config: {
            to: loginUrl,
            return_to_query_param: 'return_to',
            when: [{ error: ['unauthorized'], request: { header: { accept: ['text/html'] } } }],
          },
        },
      },
    },
    serve: { proxy: { port: 4455, ...serve.proxy }, api: { port: 4456, ...serve.api } },
  };
}

/**
 * The gateway with what stands behind it.
 * @typedef {object} Site
 * @property {string} origin of the gateway's proxy listener
 * @property {string} api origin of its API listener
 * @property {import('./runtime.mjs').RunningGateway} gateway
 * @property {import('../ory/kratos.mjs').Kratos} [kratos]
 * @property {import('./upstream.mjs').Upstream} upstream
 * @property {(url: string, ask?: import('./client.mjs').Ask) => Promise<import('./client.mjs').Answer>} ask
 *   sends a request to the proxy listener; the URL's host is what the gateway sees
 * @property {() => string} log
 * @property {() => Promise<void>} stop
 */

/**
 * Starts an upstream, if wanted a real Kratos whose public URL is the gateway's, and the gateway.
 * @param {object} options
 * @param {object[]} options.rules
 * @param {boolean | import('../ory/kratos.mjs').KratosOptions | import('../ory/kratos.mjs').Kratos} [options.kratos]
 *   `true` or its options for one of this site's own, where `config` may be made of the gateway's origin; a running one is
 *   left running
 * @param {string} [options.whoami] origin of a stand-in for Kratos
 * @param {object} [options.edge] members of edge.yml
 * @param {object} [options.authenticators] more of them in the configuration
 * @param {object} [options.cookieSession] members of the configuration of `cookie_session`
 * @param {object} [options.authorizers] more of them in the configuration
 * @param {object} [options.idToken] members of the configuration of `id_token`
 * @param {object} [options.serve] members of `serve` in the configuration
 * @param {boolean} [options.strict]
 * @param {string} [options.state]
 * @param {string} [options.keysSecret]
 * @param {boolean} [options.fresh] a new instance for every request
 * @param {Record<string, string>} [options.env] more for the gateway's environment
 * @returns {Promise<Site>}
 */
export async function startSite(options) {
  const { rules, kratos, whoami, edge = {}, strict, state, keysSecret, fresh, env } = options;
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-runtimes-'));
  const { port, apiPort } = await choosePorts();
  const parts = [{ stop: () => rmSync(folder, { recursive: true, force: true }) }];
  const stop = async () => {
    for (const part of parts.toReversed()) await part.stop();
  };
  try {
    const upstream = await startUpstream();
    parts.push(upstream);
    let behind = kratos;
    if (kratos && !kratos.public) {
      const publicOrigin = `http://127.0.0.1:${port}`;
      const own = kratos === true ? {} : kratos;
      const config = typeof own.config === 'function' ? own.config(publicOrigin) : own.config;
      behind = await startKratos({ publicOrigin, ...own, config });
      parts.push(behind);
    }
    // Nothing listens on port 9 (discard): a site without Kratos has one that is down.
    const kratosOrigin = behind?.public ?? whoami ?? 'http://127.0.0.1:9';
    const write = (name, value) => {
      const file = join(folder, name);
      writeFileSync(file, JSON.stringify(value, null, 2));
      return file;
    };
    write('access-rules.json', [...rules, kratosRule(port)]);
    const config = write('oathkeeper.yml', oathkeeper(port, options));
    const upstreams = { [kratosName]: kratosOrigin, [upstreamName]: upstream.origin, ...edge.upstreams };
    const edgeFile = write('edge.yml', { ...edge, upstreams });
    const gateway = await startRuntime({ folder, config, edge: edgeFile, port, apiPort, strict, state, keysSecret, fresh, env });
    parts.push(gateway);
    return {
      origin: gateway.origin,
      api: gateway.api,
      gateway,
      kratos: behind,
      upstream,
      ask: (url, ask) => send(gateway.origin, url, ask),
      log: gateway.log,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/**
 * Asks again until an answer is as expected.
 * @template T
 * @param {() => Promise<T>} ask
 * @param {(answer: T) => boolean} isGood
 * @param {number} [seconds]
 * @returns {Promise<T>} the good answer
 */
export async function until(ask, isGood, seconds = 10) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (isGood(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s; the last answer: ${answer?.status ?? answer}`);
    await sleep(50);
  }
}
