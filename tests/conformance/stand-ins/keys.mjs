import { readdirSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { json, notJson, splitTarget } from './server.mjs';

const folder = new URL('../keys/', import.meta.url);
const sets = new Map(readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')]));

/**
 * All the keys that the server has.
 * @type {{ kid: string }[]}
 */
export const served = [...sets.values()].flatMap((text) => JSON.parse(text).keys);

/**
 * A server of key sets (RFC 7517), the files in `keys/`.
 * @param {import('./server.mjs').Received} request
 * @returns {import('./server.mjs').Reply}
 */
export function keys(request) {
  const { path } = splitTarget(request);
  const set = sets.get(basename(path));
  if (set !== undefined) return notJson(set);
  return path === '/broken.json' ? notJson() : json(404);
}
