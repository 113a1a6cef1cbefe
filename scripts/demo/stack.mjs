import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { createIdentity } from '../../tests/ory/identity.mjs';
import { startKratos } from '../../tests/ory/kratos.mjs';
import { start } from '../run/process.mjs';
import { configure } from './configure.mjs';
import { startUpstream } from './upstream.mjs';

const serve = fileURLToPath(new URL('../serve', import.meta.url));

/** How long the gateway may take to start: it builds itself when nobody has, which is minutes on a small machine. */
const startSeconds = 900;

/** Who can sign in. The password is no secret: Kratos listens on loopback and forgets everything when it stops. */
export const demoUser = {
  email: 'demo@example.com',
  password: 'edge-before-origin',
  traits: { name: { first: 'Demo', last: 'User' } },
};

/**
 * The whole demo, running.
 * @typedef {object} Demo
 * @property {string} origin the one URL
 * @property {string} api origin of the gateway's API: keys, health
 * @property {import('../../tests/ory/kratos.mjs').Kratos} kratos
 * @property {{ id: string, email: string, password: string }} user
 * @property {Promise<string>} ended settles when a part of it ends by itself, with which and how
 * @property {() => Promise<void>} stop
 */

/**
 * Starts Kratos, the demo upstream, and the gateway in front of both on `http://localhost:<port>`.
 * Resolves when all of them answer; when one does not, the others are stopped.
 * @param {object} options
 * @param {string} options.folder for the configuration of this run and the gateway's log
 * @param {number} options.port the gateway's
 * @param {number} options.apiPort that of its API
 * @param {string} [options.runtime] one of those that scripts/serve knows
 * @returns {Promise<Demo>}
 */
export async function startDemo({ folder, port, apiPort, runtime = 'cloudflare' }) {
  const origin = `http://localhost:${port}`;
  const parts = [];
  const stop = async () => {
    for (const part of parts.toReversed()) await part.stop();
  };
  try {
    const kratos = await startKratos({ publicOrigin: origin, defaultReturn: `${origin}/protected` });
    parts.push(kratos);
    const upstream = await startUpstream({ kratosPublic: kratos.public });
    parts.push(upstream);
    const files = configure(resolve(folder), { port, apiPort, kratos: kratos.public, upstream: upstream.origin });
    const where = ['--runtime', runtime, '--listen', `127.0.0.1:${port}`, '--api', `127.0.0.1:${apiPort}`];
    const gateway = start(serve, ['--config', files.config, '--edge', files.edge, ...where], {
      name: 'the gateway',
      logFile: join(resolve(folder), 'gateway.log'),
      cwd: resolve(folder),
    });
    parts.push(gateway);
    const identity = await createIdentity(kratos, demoUser);
    await gateway.answers(`${origin}/`, startSeconds);
    const user = { id: identity.id, email: demoUser.email, password: demoUser.password };
    const ended = Promise.race([kratos.ended, gateway.ended]);
    return { origin, api: `http://localhost:${apiPort}`, kratos, user, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
