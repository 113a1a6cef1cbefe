import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('.', import.meta.url));

/** The ports that stand in the demo's files. */
export const written = { port: 4455, apiPort: 4456, kratos: 'http://127.0.0.1:4433', upstream: 'http://127.0.0.1:3000' };

/**
 * Writes the demo's Oathkeeper files into a folder, with the ports of this run in them.
 * @param {string} folder made when missing
 * @param {object} where
 * @param {number} where.port the gateway's
 * @param {number} where.apiPort that of its API: keys, health
 * @param {string} where.kratos origin of Kratos' public API
 * @param {string} where.upstream origin of the demo upstream
 * @returns {{ config: string, edge: string }} paths of `oathkeeper.yml` and `edge.yml`
 */
export function configure(folder, { port, apiPort, kratos, upstream }) {
  mkdirSync(folder, { recursive: true });
  for (const name of ['oathkeeper.yml', 'access-rules.json', 'edge.yml']) {
    const text = readFileSync(join(source, name), 'utf8')
      .replaceAll(`http://localhost:${written.port}`, `http://localhost:${port}`)
      .replace(`port: ${written.port}`, `port: ${port}`)
      .replace(`port: ${written.apiPort}`, `port: ${apiPort}`)
      .replace(`"${written.kratos}"`, `"${kratos}"`)
      .replace(`"${written.upstream}"`, `"${upstream}"`);
    writeFileSync(join(folder, name), text);
  }
  return { config: join(folder, 'oathkeeper.yml'), edge: join(folder, 'edge.yml') };
}
