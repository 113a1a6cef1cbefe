import http from 'node:http';

// fetch() sets Host, Connection and Sec-Fetch-* as it likes; a test needs to say them itself.

/**
 * An answer, whole.
 * @typedef {object} Answer
 * @property {number} status
 * @property {(name: string) => string | undefined} header its one value; throws when there are several
 * @property {(name: string) => string[]} all the values of a header
 * @property {Buffer} body
 * @property {string} text
 * @property {() => any} json
 */

/**
 * @typedef {object} Ask
 * @property {string} [method] GET by default
 * @property {Record<string, string | string[]>} [headers]
 * @property {string | Buffer} [body]
 * @property {http.Agent} [agent] for many requests over few connections
 */

/**
 * Sends a request exactly as it is told; nothing is followed, decompressed or retried.
 * @param {string} origin where to connect to
 * @param {string} url its host is sent as `Host`, its path and query as written
 * @param {Ask} [ask]
 * @returns {Promise<Answer>}
 */
export async function send(origin, url, { body, ...ask } = {}) {
  const request = openRequest(origin, url, ask);
  request.end(body);
  return whole(await answerTo(request));
}

/**
 * The same, with the body left to the caller.
 * @param {string} origin
 * @param {string} url
 * @param {Ask} [ask]
 * @returns {http.ClientRequest}
 */
export function openRequest(origin, url, { method = 'GET', headers = {}, agent = false } = {}) {
  const { hostname, port } = new URL(origin);
  const [, host, path] = /^https?:\/\/([^/]+)(\/.*)$/.exec(url);
  return http.request({ hostname, port, method, path, agent, headers: { host, ...headers } });
}

/**
 * The answer to a request, as soon as its head is there.
 * @param {http.ClientRequest} request
 * @returns {Promise<http.IncomingMessage>}
 */
export function answerTo(request) {
  return new Promise((resolve, reject) => request.once('response', resolve).once('error', reject));
}

async function whole(response) {
  const body = Buffer.concat(await response.toArray());
  const pairs = response.rawHeaders;
  const all = (name) => pairs.filter((_, n) => n % 2 === 1 && pairs[n - 1].toLowerCase() === name.toLowerCase());
  return {
    status: response.statusCode,
    all,
    header(name) {
      const values = all(name);
      if (values.length > 1) throw new Error(`the answer has ${name} ${values.length} times`);
      return values[0];
    },
    body,
    text: body.toString(),
    json: () => JSON.parse(body.toString()),
  };
}
