import { hydrator } from './stand-ins/hydrator.mjs';
import { introspection } from './stand-ins/introspection.mjs';
import { keys } from './stand-ins/keys.mjs';
import { remote } from './stand-ins/remote.mjs';
import { startStandIn } from './stand-ins/server.mjs';
import { upstream } from './stand-ins/upstream.mjs';
import { whoami } from './stand-ins/whoami.mjs';

const services = { upstream, whoami, introspection, remote, hydrator, keys };

/**
 * Everything that a gateway under test may speak to.
 * @typedef {object} StandIns
 * @property {Record<keyof typeof services, number>} ports
 * @property {() => import('./stand-ins/server.mjs').Received[]} takeUpstream what the upstream got since the last call
 * @property {() => Promise<void>} stop
 */

/**
 * Starts one of each, on ports of their own.
 * @returns {Promise<StandIns>}
 */
export async function startStandIns() {
  const started = {};
  for (const [name, answer] of Object.entries(services)) started[name] = await startStandIn(answer);
  return {
    ports: Object.fromEntries(Object.entries(started).map(([name, { port }]) => [name, port])),
    takeUpstream: started.upstream.take,
    async stop() {
      for (const standIn of Object.values(started)) await standIn.stop();
    },
  };
}
