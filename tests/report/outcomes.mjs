// A reporter for node:test: one line of JSON for each test, for the table at the end of scripts/test.
import { basename } from 'node:path';

import { runtime } from '../runtimes/runtime.mjs';

/**
 * What came of one test.
 * @typedef {object} Outcome
 * @property {'black-box'} suite
 * @property {string} runtime
 * @property {string} file
 * @property {string} name
 * @property {'passed' | 'failed' | 'skipped'} result
 * @property {string} [reason] why it was skipped
 */

/** @param {AsyncIterable<{ type: string, data: any }>} events */
export default async function* outcomes(events) {
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // A file and a group are no tests of their own.
    if (data.details?.type === 'suite' || data.name === data.file) continue;
    const result = type === 'test:fail' ? 'failed' : data.skip === undefined ? 'passed' : 'skipped';
    const reason = typeof data.skip === 'string' ? data.skip : undefined;
    const file = data.file && basename(data.file, '.test.mjs');
    yield `${JSON.stringify({ suite: 'black-box', runtime, file, name: data.name, result, reason })}\n`;
  }
}
