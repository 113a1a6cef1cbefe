import http from 'node:http';

import { json } from './whoami-stand-in.mjs';

/**
 * Stands in for a server of keys: every set is a JSON document under a path of its own.
 * @typedef {object} KeysStandIn
 * @property {string} origin
 * @property {() => Promise<void>} stop
 */

/**
 * @param {Record<string, object[]>} sets the keys by path
 * @returns {Promise<KeysStandIn>}
 */
export async function startKeysStandIn(sets) {
  const server = http.createServer((request, response) => {
    const keys = sets[request.url];
    json(response, keys ? 200 : 404, { keys });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
