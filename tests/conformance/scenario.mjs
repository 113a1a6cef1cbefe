import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('scenarios', import.meta.url));

/**
 * A request, whole.
 * @typedef {object} Request
 * @property {string} id unique in its scenario
 * @property {string} method
 * @property {string} host
 * @property {string} target sent as it is written, in UTF-8
 * @property {[string, string][]} [headers]
 * @property {string} [body]
 * @property {number} [settle] seconds that Oathkeeper's own cache needed after it
 * @property {'decision' | 'api'} [via] which listener it is for; the proxy when it is not said
 */

/**
 * One configuration of Oathkeeper and what Oathkeeper v26.2.0 did with requests.
 * @typedef {object} Scenario
 * @property {string} name
 * @property {Request[]} requests
 * @property {Record<string, string>} env what stands in the gateway's environment
 * @property {number} rules how many of the rules Oathkeeper takes
 * @property {Map<string, import('./outcome.mjs').Outcome>} golden by the request's id
 */

/**
 * The scenarios there are, by name.
 * @type {string[]}
 */
export const scenarioNames = readdirSync(folder).sort();

/**
 * @param {string} name
 * @returns {Scenario}
 * @throws {Error} when a request has no outcome, or the other way round
 */
export function readScenario(name) {
  const requests = readLines(name, 'requests.jsonl');
  const golden = new Map(readLines(name, 'golden.jsonl').map(({ id, outcome }) => [id, outcome]));
  const ids = new Set(requests.map(({ id }) => id));
  if (ids.size !== requests.length) throw new Error(`scenarios/${name}/requests.jsonl: two requests have one id`);
  const unpaired = [...ids].filter((id) => !golden.has(id)).concat([...golden.keys()].filter((id) => !ids.has(id)));
  if (unpaired.length > 0) throw new Error(`scenarios/${name}: only a request or only an outcome: ${unpaired.join(', ')}`);
  const { env = {}, valid_rules: rules } = JSON.parse(readFileSync(join(folder, name, 'meta.json'), 'utf8'));
  return { name, requests, env, rules, golden };
}

/**
 * Writes a scenario's configuration for a run.
 * @param {string} name
 * @param {string} target a folder
 * @param {(text: string) => string} translate to the ports of the run
 * @returns {{ config: string, edge: string }} the files
 */
export function writeConfiguration(name, target, translate) {
  for (const file of ['config.yaml', 'rules.json']) {
    writeFileSync(join(target, file), translate(readFileSync(join(folder, name, file), 'utf8')));
  }
  const edge = join(target, 'edge.yml');
  writeFileSync(edge, '{}\n');
  return { config: join(target, 'config.yaml'), edge };
}

function readLines(name, file) {
  const lines = readFileSync(join(folder, name, file), 'utf8').split('\n');
  return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
}
