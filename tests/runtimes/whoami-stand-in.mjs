import http from 'node:http';

/**
 * Stands in for Kratos' whoami where the real one cannot be made to answer so: broken, slow, lying.
 * Every session token `ory_st_NAME`, also as the session cookie, is a session of `NAME@example.com` until a test says
 * otherwise.
 * @typedef {object} WhoamiStandIn
 * @property {string} origin
 * @property {number} asked how often it was asked
 * @property {(answer?: (response: http.ServerResponse, request: http.IncomingMessage) => void) => void} answerWith
 *   how it answers from now on; without an argument as at first
 * @property {() => Promise<void>} stop
 */

/**
 * @returns {Promise<WhoamiStandIn>}
 */
export async function startWhoamiStandIn() {
  let answer = tell;
  const server = http.createServer((request, response) => {
    standIn.asked += 1;
    answer(response, request);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const standIn = {
    origin: `http://127.0.0.1:${server.address().port}`,
    asked: 0,
    answerWith(next = tell) {
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

/**
 * A session as Kratos tells of it.
 * @param {string} id
 * @param {object} [changes] other members of the answer
 * @returns {object}
 */
export function session(id, changes = {}) {
  const email = `${id}@example.com`;
  return {
    id: `session-of-${id}`,
    active: true,
    expires_at: new Date(Date.now() + 3_600_000).toISOString(),
    authenticator_assurance_level: 'aal1',
    identity: { id, traits: { email }, verifiable_addresses: [{ value: email, verified: true, via: 'email' }] },
    ...changes,
  };
}

/**
 * Answers with JSON.
 * @param {http.ServerResponse} response
 * @param {number} status
 * @param {object} body
 * @param {Record<string, string>} [headers]
 */
export function json(response, status, body, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function tell(response, request) {
  const { 'x-session-token': token, cookie, authorization } = request.headers;
  const [, id] = /\bory_st_(\w+)/.exec(token ?? cookie ?? authorization ?? '') ?? [];
  if (id === undefined) json(response, 401, { error: { code: 401, reason: 'No valid session credentials found in the request.' } });
  else json(response, 200, session(id));
}
