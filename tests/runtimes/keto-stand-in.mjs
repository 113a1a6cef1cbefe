import http from 'node:http';

import { json } from './whoami-stand-in.mjs';

/**
 * Stands in for Keto's read API, which no package registry serves. It answers as the real one (v26.2.0) was seen to:
 * 200 `{"allowed":true}`, 403 `{"allowed":false}` also for an unknown namespace, 400 for an unknown relation or without a
 * subject; the old engines are gone.
 * @typedef {object} KetoStandIn
 * @property {string} origin
 * @property {object[]} asked the bodies of all checks
 * @property {Set<string>} tuples `namespace:object#relation@subject`; a test adds and deletes
 * @property {(answer?: (response: http.ServerResponse) => void) => void} answerWith
 *   how it answers from now on; without an argument as at first
 * @property {() => Promise<void>} stop
 */

const namespaces = new Map([
  ['files', ['view', 'edit']],
  ['groups', ['member']],
]);

const written = ({ namespace, object, relation }) => `${namespace}:${object}#${relation}`;

/**
 * @param {string[]} tuples
 * @returns {Promise<KetoStandIn>}
 */
export async function startKetoStandIn(tuples) {
  let answer = check;
  const server = http.createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray());
    answer(response, request, body);
  });

  function check(response, request, body) {
    if (request.method !== 'POST' || request.url !== '/relation-tuples/check') return json(response, 404, { error: { code: 404 } });
    const tuple = JSON.parse(body);
    standIn.asked.push(tuple);
    const relations = namespaces.get(tuple.namespace);
    if (relations === undefined) return json(response, 403, { allowed: false });
    const subject = tuple.subject_set ? written(tuple.subject_set) : tuple.subject_id;
    if (!relations.includes(tuple.relation) || !subject) return json(response, 400, { error: { code: 400 } });
    const allowed = standIn.tuples.has(`${written(tuple)}@${subject}`);
    json(response, allowed ? 200 : 403, { allowed });
  }

  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const standIn = {
    origin: `http://127.0.0.1:${server.address().port}`,
    asked: [],
    tuples: new Set(tuples),
    answerWith(next = check) {
      answer = next;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return standIn;
}
