import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('.', import.meta.url));

/** The port that stands in the demo's rules. */
export const writtenPort = 4455;

/**
 * Writes the demo's Oathkeeper files into a folder, with the ports of this run in them.
 * @param {string} folder made when missing
 * @param {object} where
 * @param {number} where.port the gateway's
 * @param {string} where.kratos origin of Kratos' public API
 * @param {string} where.upstream origin of the demo upstream
 * @returns {{ config: string, edge: string }} paths of `oathkeeper.yml` and `edge.yml`
 */
export function configure(folder, { port, kratos, upstream }) {
  mkdirSync(folder, { recursive: true });
  for (const name of ['oathkeeper.yml', 'access-rules.json', 'edge.yml']) {
    const text = readFileSync(join(source, name), 'utf8')
      .replaceAll(`http://localhost:${writtenPort}`, `http://localhost:${port}`)
      .replace(`port: ${writtenPort}`, `port: ${port}`)
      .replace(': http://127.0.0.1:4433', `: ${kratos}`)
      .replace(': http://127.0.0.1:3000', `: ${upstream}`);
    writeFileSync(join(folder, name), text);
  }
  return { config: join(folder, 'oathkeeper.yml'), edge: join(folder, 'edge.yml') };
}
