import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

// Everything that decides what a build gives, apart from the policy and the runtime's own adapter.
const sources = [
  'Cargo.toml',
  'Cargo.lock',
  'rust-toolchain.toml',
  'package-lock.json',
  'scripts/build',
  'shared',
  'edge/cli',
];

/**
 * Whether a build for a runtime was finished after every source was last written. Looks at times only, so it costs
 * milliseconds.
 * @param {string} root the checkout
 * @param {string} runtime
 * @param {string[]} outputs files that must exist
 * @returns {boolean}
 */
export function isFresh(root, runtime, outputs) {
  const built = modified(join(root, 'build', runtime, 'finished'));
  if (built === undefined || outputs.some((path) => modified(path) === undefined)) return false;
  const adapter = runtime === 'cloudflare' ? [runtime, 'webcrypto'] : [runtime, 'component', 'folder', 'pipe'];
  return [...sources, ...adapter.map((name) => join('edge', name))].every((name) => newest(join(root, name)) <= built);
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
