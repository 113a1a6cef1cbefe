/**
 * One user agent at one origin: a browser with a cookie jar, or an API client with (after login) a session token.
 * @typedef {object} Agent
 * @property {string} origin any origin that serves Kratos' public paths: Kratos itself or the gateway in front of it
 * @property {import('./cookie-jar.mjs').CookieJar} [jar] for a browser
 * @property {string} [token] for an API client
 */

/** An answer of Kratos that ends a flow early: what it said, and with which status. */
export class FlowError extends Error {
  /**
   * @param {string} what
   * @param {number} status
   * @param {object} body
   */
  constructor(what, status, body) {
    const messages = [...(body?.ui?.messages ?? []), ...(body?.ui?.nodes ?? []).flatMap((node) => node.messages ?? [])];
    const said = messages.map((message) => message.text).join(' ') || body?.error?.reason || body?.error?.message;
    super(`${what}: Kratos answered ${status}: ${said ?? 'nothing to show'}`);
    this.status = status;
    this.body = body;
  }
}

/**
 * The headers that make a request this agent's.
 * @param {Agent} agent
 * @returns {Record<string, string>}
 */
export function credentials(agent) {
  const headers = { accept: 'application/json' };
  if (agent.jar?.header) headers.cookie = agent.jar.header;
  if (agent.token) headers['x-session-token'] = agent.token;
  return headers;
}

/**
 * Starts a self-service flow.
 * @param {Agent} agent
 * @param {'login' | 'registration' | 'settings' | 'logout'} kind
 * @param {Record<string, string>} [query] such as `aal` or `return_to`
 * @returns {Promise<object>} the flow
 */
export async function startFlow(agent, kind, query = {}) {
  const url = new URL(`/self-service/${kind}/${agent.jar ? 'browser' : 'api'}`, agent.origin);
  url.search = new URLSearchParams(query).toString();
  const response = await fetch(url, { headers: credentials(agent), redirect: 'manual' });
  return read(agent, response, `starting ${kind}`);
}

/**
 * Submits a flow as JSON.
 * @param {Agent} agent
 * @param {object} flow
 * @param {object} fields what the person filled in
 * @returns {Promise<object>} Kratos' answer
 */
export async function submitFlow(agent, flow, fields) {
  const action = new URL(flow.ui.action);
  const csrf = flow.ui.nodes.find((node) => node.attributes.name === 'csrf_token')?.attributes.value;
  const response = await fetch(new URL(action.pathname + action.search, agent.origin), {
    method: flow.ui.method,
    redirect: 'manual',
    headers: { ...credentials(agent), 'content-type': 'application/json' },
    body: JSON.stringify({ ...(csrf ? { csrf_token: csrf } : {}), ...fields }),
  });
  return read(agent, response, `submitting ${action.pathname}`);
}

/**
 * Reads a JSON answer and keeps its cookies.
 * @param {Agent} agent
 * @param {Response} response
 * @param {string} what what was being done, for the error
 * @returns {Promise<object>}
 * @throws {FlowError} unless the answer is a success
 */
export async function read(agent, response, what) {
  agent.jar?.store(response);
  const text = await response.text();
  let body;
  try {
    body = text === '' ? undefined : JSON.parse(text);
  } catch {
    throw new FlowError(`${what}: not JSON: ${text.slice(0, 200)}`, response.status, undefined);
  }
  if (!response.ok) throw new FlowError(what, response.status, body);
  return body;
}

