import { CookieJar } from './cookie-jar.mjs';
import { credentials, read, startFlow, submitFlow } from './flow.mjs';
import { totpCode } from './totp.mjs';

/**
 * Someone who is signed in. `jar` is there after a browser login, `token` after an API login. `session` is what
 * Kratos described at login; a browser that has yet to give a second factor is told nothing. `cookie` is a
 * `Cookie` header with the session cookie alone.
 * @typedef {import('./flow.mjs').Agent & { session?: object, cookie?: string }} SignedIn
 */

/** The name of Kratos' session cookie. */
export const sessionCookie = 'ory_kratos_session';

/**
 * Signs in as a browser does; the session is a cookie.
 * @param {string} origin Kratos' public origin, or the gateway's
 * @param {{ email: string, password: string, query?: Record<string, string> }} person
 * @returns {Promise<SignedIn>}
 */
export async function loginBrowser(origin, { email, password, query }) {
  const agent = { origin, jar: new CookieJar() };
  const flow = await startFlow(agent, 'login', query);
  const answer = await submitFlow(agent, flow, { method: 'password', identifier: email, password }).catch(secondFactorAsked);
  return { ...agent, session: answer.session, cookie: `${sessionCookie}=${agent.jar.get(sessionCookie)}` };
}

/** Kratos has signed the browser in by then, and only says where the second factor is to be given. */
function secondFactorAsked(error) {
  if (error.status !== 422 || error.body.error?.id !== 'browser_location_change_required') throw error;
  return { session: undefined };
}

/**
 * Signs in as a native app does; the session is a token.
 * @param {string} origin Kratos' public origin, or the gateway's
 * @param {{ email: string, password: string }} person
 * @returns {Promise<SignedIn>}
 */
export async function loginApi(origin, { email, password }) {
  const agent = { origin };
  const flow = await startFlow(agent, 'login');
  const answer = await submitFlow(agent, flow, { method: 'password', identifier: email, password });
  return { ...agent, session: answer.session, token: answer.session_token };
}

/**
 * Asks Kratos who this is.
 * @param {import('./flow.mjs').Agent} agent
 * @returns {Promise<Response>}
 */
export function whoami(agent) {
  return fetch(new URL('/sessions/whoami', agent.origin), { headers: credentials(agent), redirect: 'manual' });
}

/**
 * Signs out, the way this agent signed in.
 * @param {SignedIn} agent
 */
export async function logout(agent) {
  if (agent.jar) {
    const { logout_url: url } = await startFlow(agent, 'logout');
    const { pathname, search } = new URL(url);
    const response = await fetch(new URL(pathname + search, agent.origin), { headers: credentials(agent), redirect: 'manual' });
    await read(agent, response, 'logging out');
    return;
  }
  const response = await fetch(new URL('/self-service/logout/api', agent.origin), {
    method: 'DELETE',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ session_token: agent.token }),
  });
  await read(agent, response, 'logging out');
}

/**
 * Gives someone a second factor. From then on a session without it is not enough for whoami (403).
 * @param {SignedIn} agent
 * @returns {Promise<string>} the secret for {@link stepUp}, base32
 */
export async function enrolTotp(agent) {
  const flow = await startFlow(agent, 'settings');
  const secret = flow.ui.nodes.find((node) => node.attributes.id === 'totp_secret_key').attributes.text.context.secret;
  await submitFlow(agent, flow, { method: 'totp', totp_code: totpCode(secret) });
  return secret;
}

/**
 * Raises a session to the second level (`aal2`) with a TOTP code.
 * @param {SignedIn} agent
 * @param {string} secret what {@link enrolTotp} returned
 * @returns {Promise<SignedIn>} the same person; an API client may get a new token
 */
export async function stepUp(agent, secret) {
  const flow = await startFlow(agent, 'login', { aal: 'aal2' });
  const answer = await submitFlow(agent, flow, { method: 'totp', totp_code: totpCode(secret) });
  const cookie = agent.jar && `${sessionCookie}=${agent.jar.get(sessionCookie)}`;
  return { ...agent, session: answer.session, token: answer.session_token ?? agent.token, cookie };
}
