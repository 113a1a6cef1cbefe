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
 *   people: Person[],
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
    const people = [];
    let made = 0;
    const newPerson = async () => {
      const number = made++;
      const email = `person-${number}@example.com`;
      const { id } = await createIdentity(kratos, { email, password });
      const headers =
        number % 2 === 0
          ? { cookie: (await loginBrowser(kratos.public, { email, password })).cookie }
          : { 'x-session-token': (await loginApi(kratos.public, { email, password })).token };
      const person = { id, email, headers };
      people.push(person);
      return person;
    };
    return { ...site, kratos, proxy, clock, newPerson, people, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
