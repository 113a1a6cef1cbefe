import { hydrator } from './stand-ins/hydrator.mjs';
import { introspection } from './stand-ins/introspection.mjs';
import { keys } from './stand-ins/keys.mjs';
import { remote } from './stand-ins/remote.mjs';
import { startStandIn } from './stand-ins/server.mjs';
import { upstream } from './stand-ins/upstream.mjs';
import { whoami } from './stand-ins/whoami.mjs';

const services = { upstream, whoami, introspection, remote, hydrator, keys };

/** What the outcomes call them. */
const names = { whoami: 'kratos', introspection: 'introspect' };

/**
 * A request as one of them got it.
 * @typedef {import('./stand-ins/server.mjs').Received & { service: string }} Received
 */

/**
 * Everything that a gateway under test may speak to.
 * @typedef {object} StandIns
 * @property {Record<keyof typeof services, number>} ports
 * @property {() => Received[]} take what they got since the last call, in order
 * @property {() => Promise<void>} stop
 */

/**
 * Starts one of each, on ports of their own.
 * @returns {Promise<StandIns>}
 */
export async function startStandIns() {
  const started = {};
  let received = [];
  for (const [name, answer] of Object.entries(services)) {
    started[name] = await startStandIn((request) => {
      received.push({ service: names[name] ?? name, ...request });
      return answer(request);
    });
  }
  return {
    ports: Object.fromEntries(Object.entries(started).map(([name, { port }]) => [name, port])),
    take() {
      const taken = received;
      received = [];
      return taken;
    },
    async stop() {
      for (const standIn of Object.values(started)) await standIn.stop();
    },
  };
}
