import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

// Everything that decides what a build gives, apart from the policy.
const sources = [
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  'package-lock.json',
  'scripts/build',
  'shared',
  'edge',
];

/**
 * Whether a build was finished after every source was last written. Looks at times only, so it costs milliseconds.
 * @param {string} root the checkout
 * @param {string} finished a file that the build writes when it is done
 * @param {string[]} outputs files that must exist
 * @returns {boolean}
 */
export function isFresh(root, finished, outputs) {
  const built = modified(finished);
  if (built === undefined || outputs.some((path) => modified(path) === undefined)) return false;
  return sources.every((name) => newest(join(root, name)) <= built);
}

function modified(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

/** The latest change below a path, folders included: a deleted file changes its folder. */
function newest(path) {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}
