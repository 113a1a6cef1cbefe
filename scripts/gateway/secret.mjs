import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/**
 * The secret that seals signing keys: `KEYS_SECRET` of the environment, else the one kept in the state folder (made when
 * it is not there), else one for this run only.
 * @param {string | undefined} state
 * @param {Record<string, string | undefined>} environment
 * @returns {string}
 */
export function keysSecret(state, environment) {
  if (environment.KEYS_SECRET) return environment.KEYS_SECRET;
  const fresh = randomBytes(32).toString('base64url');
  if (state === undefined) return fresh;
  mkdirSync(state, { recursive: true });
  const file = join(state, 'keys-secret');
  try {
    // Never over an existing one: keys sealed under it would be lost.
    writeFileSync(file, fresh, { mode: 0o600, flag: 'wx' });
    return fresh;
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
    return readFileSync(file, 'utf8').trim();
  }
}

/**
 * The secrets that edge.yml names (`api.secret`, `operator.secret`, `session.revocation_secret`), and the setting `EXPLAIN`, where the
 * environment has them.
 * @param {string | undefined} policy
 * @param {Record<string, string | undefined>} environment
 * @returns {Record<string, string>} by their names
 */
export function namedSecrets(policy, environment) {
  const { api, operator_secret: operator, session } = policy ? JSON.parse(policy) : {};
  const names = ['EXPLAIN', api?.secret, operator, session?.revocation_secret].filter((name) => name && environment[name]);
  return Object.fromEntries(names.map((name) => [name, environment[name]]));
}

/**
 * What {@link keysSecret} is, for a Spin application: Spin's own variable in the environment counts first, and an application that is started
 * where it lies keeps its secret where Spin keeps its store, which outlives the run.
 * @param {{ state?: string, from?: string }} where
 * @param {Record<string, string | undefined>} environment
 * @returns {string}
 */
export function spinSecret({ state, from }, environment) {
  if (environment.SPIN_VARIABLE_KEYS_SECRET) return environment.SPIN_VARIABLE_KEYS_SECRET;
  if (state !== undefined || from === undefined) return keysSecret(state, environment);
  const folder = statSync(from, { throwIfNoEntry: false })?.isDirectory() ? from : dirname(from);
  return keysSecret(join(folder, '.spin'), environment);
}
