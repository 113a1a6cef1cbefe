import { readFileSync } from 'node:fs';

/** The columns, in order. */
const columns = ['id', 'here', 'there', 'why', 'default', 'strict', 'held'];

/**
 * A deliberate difference.
 * @typedef {object} Row
 * @property {string} id
 * @property {string} here what Edgekeeper does
 * @property {string} there what Oathkeeper does
 * @property {string} why
 * @property {string} default `yes` or `–`
 * @property {string} strict `yes` or `–`
 * @property {string} held names of tests, each in backticks
 */

/**
 * The rows of the one table in `docs/differences.md`.
 * @returns {Row[]}
 */
export function readTable() {
  return rowsOf(readFileSync(new URL('../../docs/differences.md', import.meta.url), 'utf8'));
}

/**
 * The rows of the first table in a Markdown text that has an `id` column. A cell that is missing is empty.
 * @param {string} text
 * @returns {Row[]}
 * @throws {Error} when there is none, or more than one
 */
export function rowsOf(text) {
  const tables = tablesOf(text).filter(([head]) => head[0] === 'id');
  if (tables.length !== 1) throw new Error(`there are ${tables.length} tables of differences instead of one`);
  const [, ...rows] = tables[0];
  return rows.map((cells) => Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ''])));
}

/**
 * The tables of a Markdown text, each a list of rows of cells; the first row is its head.
 * @param {string} text
 * @returns {string[][][]}
 */
export function tablesOf(text) {
  const tables = [];
  let before = '';
  for (const line of text.split('\n')) {
    if (line.startsWith('|')) {
      if (!before.startsWith('|')) tables.push([]);
      if (!/^\|[-|: ]+\|$/.test(line)) tables.at(-1).push(cellsOf(line));
    }
    before = line;
  }
  return tables;
}

/** A bar with a backslash before it belongs to its cell. */
function cellsOf(line) {
  return line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim().replaceAll('\\|', '|'));
}
