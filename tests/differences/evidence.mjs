import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { tablesOf } from './table.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What is neither read nor compared by a test: what a table of kinds lists besides. */
const notOurs = new Set([
  'which of several errors is told', // A pattern with several mistakes is broken either way.
  'what is found is no JSON', // An answer is read as JSON before anything is looked for in it.
]);

/**
 * Whether a test is there.
 * @param {string} name as the table writes it: `gateway::cors::name`, `refusal:name`, `originals:kind`, `conformance:case` or
 *   `suite: title`
 * @param {{ case: string }[]} listed the differences of the conformance suite
 * @returns {boolean}
 */
export function isThere(name, listed) {
  if (name.includes('::')) return isRustTest(name);
  const [, kind, what] = /^(\w+): ?(.+)$/.exec(name) ?? [];
  switch (kind) {
    case undefined:
      return false;
    case 'refusal':
      return existsSync(`${root}shared/policy/tests/refusals/${what}.txt`);
    case 'originals':
      return kinds().includes(what);
    case 'conformance':
      return listed.some((each) => each.case === what);
    default:
      return titlesOf(kind).has(what);
  }
}

/**
 * The kinds of differences that the comparisons with the originals pass over, but for those that are no difference of the
 * gateway's.
 * @returns {string[]}
 */
export function kinds() {
  const folder = `${root}tests/originals`;
  return readdirSync(folder)
    .map((name) => `${folder}/${name}/README.md`)
    .filter(existsSync)
    .flatMap((path) => tablesOf(readFileSync(path, 'utf8')).filter(([head]) => head[0] === 'kind'))
    .flatMap(([, ...rows]) => rows.map(([kind]) => plain(kind)))
    .filter((kind) => !notOurs.has(kind));
}

/** `crate::modules::name`: in the crate's `tests` or `src`, the last module a file or inside of one. */
function isRustTest(path) {
  const [crate, ...rest] = path.split('::');
  const name = rest.pop();
  const inside = rest.at(-1) === 'tests' ? [rest, rest.slice(0, -1)] : [rest];
  return ['shared', 'edge']
    .flatMap((folder) => ['tests', `tests/${crate}`, 'src'].map((place) => `${root}${folder}/${crate}/${place}`))
    .flatMap((folder) => inside.map((modules) => [folder, ...modules].join('/')))
    .flatMap((file) => [`${file}.rs`, `${file}/mod.rs`])
    .filter(existsSync)
    .some((file) => rustTests(readFileSync(file, 'utf8')).includes(name));
}

function rustTests(source) {
  return [...source.matchAll(/#\[test\]\s*fn (\w+)\(/g)].map(([, name]) => name);
}

const titles = new Map();

/** The titles of a folder's tests, without backticks. */
function titlesOf(folder) {
  if (!titles.has(folder)) {
    const path = `${root}tests/${folder}`;
    const files = existsSync(path) ? readdirSync(path).filter((name) => name.endsWith('.test.mjs')) : [];
    const found = files.flatMap((name) => javascriptTests(readFileSync(`${path}/${name}`, 'utf8')));
    titles.set(folder, new Set(found));
  }
  return titles.get(folder);
}

function javascriptTests(source) {
  const calls = source.matchAll(/^\s*test\(\s*(['"`])((?:\\.|(?!\1).)*)\1/gm);
  return [...calls].map(([, , title]) => plain(title.replaceAll(/\\(.)/g, '$1')));
}

function plain(text) {
  return text.replaceAll('`', '');
}
