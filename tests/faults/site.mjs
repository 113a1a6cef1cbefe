import { createIdentity } from '../ory/identity.mjs';
import { startKratos } from '../ory/kratos.mjs';
import { loginApi, loginBrowser } from '../ory/login.mjs';
import { startSite } from '../runtimes/site.mjs';
import { startClock } from './clock.mjs';
import { startFaultProxy } from './proxy.mjs';

const password = 'correct horse battery';

/**
 * Someone with a session at Kratos, of which the gateway knows nothing yet.
 * @typedef {object} Person
 * @property {string} id of the identity
 * @property {string} email
 * @property {Record<string, string>} headers the session as a request's headers: a cookie, or a token for every second person
 */

/**
 * A gateway with the real Kratos behind a fault proxy, and with a clock that a test moves. Kratos goes by the machine's.
 * @typedef {import('../runtimes/site.mjs').Site & {
 *   proxy: import('./proxy.mjs').FaultProxy,
 *   clock: import('./clock.mjs').Clock,
 *   newPerson: () => Promise<Person>,
 * }} FaultSite
 */

/**
 * @param {Omit<Parameters<typeof startSite>[0], 'kratos' | 'whoami' | 'env'>} options
 * @returns {Promise<FaultSite>}
 */
export async function startFaultSite(options) {
  const parts = [];
  const stop = async () => {
    for (const part of parts.toReversed()) await part.stop();
  };
  try {
    const clock = await startClock();
    parts.push(clock);
    const kratos = await startKratos();
    parts.push(kratos);
    const proxy = await startFaultProxy({ kratos: kratos.public, now: clock.now });
    parts.push(proxy);
    const site = await startSite({ ...options, kratos: { ...kratos, public: proxy.origin }, env: clock.env });
    parts.push(site);
    let people = 0;
    const newPerson = async () => {
      const person = { email: `person-${people++}@example.com`, password };
      const { id } = await createIdentity(kratos, person);
      const headers =
        people % 2 === 1
          ? { cookie: (await loginBrowser(kratos.public, person)).cookie }
          : { 'x-session-token': (await loginApi(kratos.public, person)).token };
      return { id, email: person.email, headers };
    };
    return { ...site, kratos, proxy, clock, newPerson, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
