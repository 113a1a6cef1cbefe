import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';

import { view } from './view.mjs';

/**
 * A case that differs from Oathkeeper on purpose. What it gives instead is written down, so that it stays tested.
 * @typedef {object} Difference
 * @property {string} case scenario/id
 * @property {string} difference id of its row in `docs/differences.md`
 * @property {string[]} runtimes those it concerns, or `["all"]`
 * @property {string} reason one line
 * @property {import('./view.mjs').Level} [level] `strict` when it is equal at level `core`, and the pointers are into the
 *   view of that level
 * @property {Record<string, any>} [here] what stands there instead, by JSON Pointer (RFC 6901) into the view
 * @property {string[]} [without] pointers to what is missing here
 * @property {string[]} [varies] pointers to what is different each time
 */

/**
 * What came of comparing a case.
 * - `equal`: as Oathkeeper
 * - `listed`: different exactly as the list says
 * - `differs`: different, and not listed or not so
 * - `stale`: listed, but as Oathkeeper
 * @typedef {object} Verdict
 * @property {'equal' | 'listed' | 'differs' | 'stale'} kind
 * @property {Difference} [difference] the one that is listed
 * @property {any} expected view of what Oathkeeper did
 * @property {any} got view of what happened here
 */

/**
 * The listed differences.
 * @type {Difference[]}
 */
export const differences = read();

/** @throws {Error} when one says not which difference it is: the document would not tell of it */
function read() {
  const list = JSON.parse(readFileSync(new URL('differences.json', import.meta.url), 'utf8'));
  const nameless = list.find(({ difference }) => typeof difference !== 'string');
  if (nameless !== undefined) {
    throw new Error(`differences.json: ${nameless.case} has no "difference", the id of its row in docs/differences.md`);
  }
  return list;
}

/**
 * Compares what happened with what Oathkeeper did.
 * @param {import('./outcome.mjs').Outcome} golden
 * @param {import('./outcome.mjs').Outcome | { error: string }} outcome `error` when there was no answer
 * @param {Difference} [difference] the one that is listed for this case and runtime
 * @param {import('./view.mjs').Level} [level] at which it must be equal, but for the difference
 * @returns {Verdict}
 */
export function judge(golden, outcome, difference, level = 'core') {
  const listedAt = difference?.level ?? 'core';
  const core = judgeAt('core', golden, outcome, listedAt === 'core' ? difference : undefined);
  // Whoever differs in the core differs in the whole, and needs no second reason.
  if (core.kind !== 'equal') return core;
  if (level === 'core') return listedAt === 'core' ? core : { ...core, difference };
  return judgeAt('strict', golden, outcome, difference);
}

function judgeAt(level, golden, outcome, difference) {
  const expected = view(golden, level);
  const got = 'error' in outcome ? outcome : view(outcome, level);
  const asOathkeeper = isDeepStrictEqual(got, expected);
  if (difference === undefined) return { kind: asOathkeeper ? 'equal' : 'differs', expected, got };
  if (asOathkeeper) return { kind: 'stale', difference, expected, got };
  return { kind: isDeepStrictEqual(got, listedView(expected, difference, got)) ? 'listed' : 'differs', difference, expected, got };
}

/**
 * Whether it is as Oathkeeper, in the answer and in the upstream's request: what others were asked is not counted.
 * @param {import('./view.mjs').Level} level
 * @param {import('./outcome.mjs').Outcome} golden
 * @param {import('./outcome.mjs').Outcome | { error: string }} outcome
 * @returns {boolean}
 */
export function isEqualAt(level, golden, outcome) {
  if ('error' in outcome) return false;
  return isDeepStrictEqual({ ...view(outcome, level), asked: [] }, { ...view(golden, level), asked: [] });
}

/**
 * The difference that is listed for a case.
 * @param {string} name scenario/id
 * @param {string} runtime
 * @param {Difference[]} [list]
 * @returns {Difference | undefined}
 * @throws {Error} when there are two
 */
export function differenceOf(name, runtime, list = differences) {
  const ofIt = list.filter((each) => each.case === name && (each.runtimes.includes(runtime) || each.runtimes.includes('all')));
  if (ofIt.length > 1) throw new Error(`differences.json lists ${name} twice for ${runtime}`);
  return ofIt[0];
}

/** What Oathkeeper did, changed as the difference says; `undefined` when what should vary is not there. */
export function listedView(expected, { here = {}, without = [], varies = [] }, got) {
  const changed = structuredClone(expected);
  for (const [pointer, value] of Object.entries(here)) setAt(changed, pointer, value);
  for (const pointer of without) setAt(changed, pointer, undefined);
  for (const pointer of varies) {
    const value = valueAt(got, steps(pointer));
    if (value === undefined || isDeepStrictEqual(value, valueAt(expected, steps(pointer)))) return undefined;
    setAt(changed, pointer, value);
  }
  return changed;
}

function setAt(view, pointer, value) {
  const path = steps(pointer);
  const last = path.pop();
  const parent = valueAt(view, path);
  if (parent === null || typeof parent !== 'object') throw new Error(`differences.json: there is no ${pointer} in what Oathkeeper did`);
  if (value === undefined) delete parent[last];
  else parent[last] = value;
}

function steps(pointer) {
  return pointer.split('/').slice(1).map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function valueAt(value, path) {
  return path.reduce((inner, step) => inner?.[step], value);
}

/**
 * What two views do not share, one line a value.
 * @param {any} expected
 * @param {any} got
 * @returns {string[]} `- pointer value` for what Oathkeeper has, `+ pointer value` for what is here
 */
export function differingLines(expected, got) {
  const [before, after] = [flat(expected), flat(got)];
  const lines = [];
  for (const pointer of new Set([...before.keys(), ...after.keys()])) {
    if (before.get(pointer) === after.get(pointer)) continue;
    if (before.has(pointer)) lines.push(`- ${pointer} ${before.get(pointer)}`);
    if (after.has(pointer)) lines.push(`+ ${pointer} ${after.get(pointer)}`);
  }
  return lines;
}

function flat(value, pointer = '', leaves = new Map()) {
  const entries = value !== null && typeof value === 'object' ? Object.entries(value) : [];
  if (entries.length === 0) leaves.set(pointer, JSON.stringify(value));
  for (const [name, inner] of entries) flat(inner, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`, leaves);
  return leaves;
}
