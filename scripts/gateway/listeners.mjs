import { listens, mustBeFree } from '../run/guarded.mjs';
import { freePort } from '../run/port.mjs';
import { openDoor } from './door.mjs';

/** How long a start may take: the first one compiles the component, on a busy machine. */
const startSeconds = 60;

/**
 * The listeners of a gateway, of which each is a program of its own.
 * @typedef {object} Listeners
 * @property {(address: import('./arguments.mjs').Address, start: Start) => Promise<string>} serve gives the origin, once
 *   clients are served there; port 0 is any that is free
 * @property {() => Promise<void>} ended settles when one of the programs is gone, also by `stop`
 * @property {() => Promise<void>} stop
 *
 * @callback Start makes a program listen
 * @param {import('./arguments.mjs').Address} address
 * @returns {import('../run/guarded.mjs').Guarded}
 */

/**
 * @param {object} options
 * @param {boolean} options.door whether a door before each of them refuses what is no proper request, as Go's server does
 * @returns {Listeners}
 */
export function makeListeners({ door }) {
  const programs = [];
  const doors = [];
  return {
    async serve({ host, port: asked }, start) {
      const outside = { host, port: asked || (await freePort()) };
      await mustBeFree(outside);
      const inside = door ? { host: '127.0.0.1', port: await freePort() } : outside;
      const program = start(inside);
      programs.push(program);
      await listens(program, inside, startSeconds);
      if (door) doors.push(await openDoor({ listen: outside, port: inside.port }));
      return `http://${host}:${outside.port}`;
    },
    ended: () => Promise.race(programs.map((program) => program.ended)).then(() => {}),
    async stop() {
      await Promise.all([...doors.map((door) => door.close()), ...programs.map((program) => program.stop())]);
    },
  };
}
