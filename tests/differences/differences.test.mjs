import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { differences } from '../conformance/verdict.mjs';
import { isThere, kinds } from './evidence.mjs';
import { readTable, rowsOf } from './table.mjs';

// docs/differences.md promises that its table is all there is and that tests hold it. What is said in words is for people to
// check; here is what a program can: that each row is whole, that its tests are there, and that no difference is without a row.

const rows = readTable();

/** What is wrong with the rows, one line each. */
function complaints(list, listed = differences) {
  const found = [];
  for (const [index, row] of list.entries()) {
    const complain = (what) => found.push(`${row.id || `row ${index + 1}`}: ${what}`);
    const empty = Object.entries(row).filter(([, cell]) => cell === '');
    for (const [column] of empty) complain(`nothing in the column ${column}`);
    if (!/^[a-z]+(?:-[a-z0-9]+)*$/.test(row.id)) complain('the id is not in lower case with hyphens');
    if (list.findIndex(({ id }) => id === row.id) !== index) complain('the id is taken');
    for (const mode of ['default', 'strict']) {
      if (!['yes', '–'].includes(row[mode])) complain(`the column ${mode} is neither yes nor –`);
    }
    if (row.default !== 'yes' && row.strict !== 'yes') complain('it is a difference in neither mode');
    if (!/^`[^`]+`(?:, `[^`]+`)*$/.test(row.held)) complain('held by is not a list of names in backticks');
    for (const name of namesOf(row)) {
      if (!isThere(name, listed)) complain(`there is no test ${name}`);
      const [, recorded] = /^conformance:(.+)$/.exec(name) ?? [];
      const isItsOwn = ({ case: own, difference }) => own === recorded && difference === row.id;
      if (recorded !== undefined && !listed.some(isItsOwn)) complain(`${recorded} is listed, but for another row`);
    }
  }
  for (const { case: name, difference } of listed) {
    const row = list.find(({ id }) => id === difference);
    if (row === undefined) found.push(`${name}: it is listed for the difference ${difference}, which is no row`);
    else if (row.strict !== 'yes') found.push(`${name}: its row ${difference} is no difference of strict mode`);
  }
  return found;
}

function namesOf({ held }) {
  return [...held.matchAll(/`([^`]+)`/g)].map(([, name]) => name);
}

test('every row is whole, its tests are there, and every recorded difference has its row', () => {
  assert.ok(rows.length > 100, `the table is read: ${rows.length} rows`);
  assert.deepEqual(complaints(rows), []);
});

test('whatever the comparisons with the originals pass over is a row', () => {
  const named = new Set(rows.flatMap(namesOf));
  assert.ok(kinds().length > 20, 'the kinds are read');
  assert.deepEqual(kinds().filter((kind) => !named.has(`originals:${kind}`)), []);
});

describe('what is wrong is noticed', () => {
  const cells = { id: 'a-b', here: 'x', there: 'y', why: 'z', default: 'yes', strict: 'yes', held: '`refusal:rule-same-id`' };
  const listed = [{ case: 's/c', difference: 'a-b' }];
  for (const [what, change, expected] of [
    ['an empty cell', { why: '' }, 'a-b: nothing in the column why'],
    ['an id in capitals', { id: 'A' }, 'A: the id is not in lower case with hyphens'],
    ['a mode in other words', { default: 'no' }, 'a-b: the column default is neither yes nor –'],
    ['a difference in neither mode', { default: '–', strict: '–' }, 'a-b: it is a difference in neither mode'],
    ['words in place of tests', { held: 'tests' }, 'a-b: held by is not a list of names in backticks'],
    ['a refusal that is not there', { held: '`refusal:nothing`' }, 'a-b: there is no test refusal:nothing'],
    ['a Rust test that is not there', { held: '`gateway::cors::nothing`' }, 'a-b: there is no test gateway::cors::nothing'],
    ['a Rust file that is not there', { held: '`gateway::nothing::a`' }, 'a-b: there is no test gateway::nothing::a'],
    ['a test that has lost its suite', { held: '`nothing: a`' }, 'a-b: there is no test nothing: a'],
    ['a title that is not there', { held: '`runtimes: nothing`' }, 'a-b: there is no test runtimes: nothing'],
    ['a kind that is not there', { held: '`originals:nothing`' }, 'a-b: there is no test originals:nothing'],
    ['a case that is not listed', { held: '`conformance:s/d`' }, 'a-b: there is no test conformance:s/d'],
    ['a recorded case without its row', { id: 'b' }, 's/c: it is listed for the difference a-b, which is no row'],
    ['a recorded case of the default mode', { strict: '–' }, 's/c: its row a-b is no difference of strict mode'],
  ]) {
    test(what, () => {
      const found = complaints([{ ...cells, ...change }], listed);
      assert.ok(found.includes(expected), found.join('\n'));
    });
  }

  test('an id that is there twice', () => {
    assert.deepEqual(complaints([cells, cells], listed), ['a-b: the id is taken']);
  });

  test("another row's case", () => {
    const other = { ...cells, id: 'c', held: '`conformance:s/c`' };
    assert.deepEqual(complaints([cells, other], listed), ['c: s/c is listed, but for another row']);
  });

  test('nothing that is right', () => {
    for (const held of ['`conformance:s/c`', '`gateway::cors::h15_two_origins_are_none`, `originals:ASCII classes`']) {
      assert.deepEqual(complaints([{ ...cells, held }], listed), []);
    }
  });

  test('a row that is too short, and a second table', () => {
    const head = '| id | here |\n|---|---|\n';
    const [row] = rowsOf(`${head}| a | b \\| c |\n`);
    assert.deepEqual([row.id, row.here, row.why], ['a', 'b | c', '']);
    assert.throws(() => rowsOf(`${head}\n${head}`), /2 tables/);
    assert.throws(() => rowsOf(''), /0 tables/);
  });
});
