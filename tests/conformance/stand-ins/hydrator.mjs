import { json, jsonObject, notJson, splitTarget } from './server.mjs';

/** What becomes of a session, by path. */
const changes = {
  enrich: (session) => ({
    ...session,
    extra: { ...session.extra, hydrated: 'yes' },
    header: { ...session.header, 'X-Hyd': ['h1', 'h2'] },
  }),
  lowerhdr: (session) => ({ ...session, header: { 'x-lower-hyd': ['v'], Authorization: ['Bearer hyd'] } }),
  subjchange: (session) => ({ ...session, subject: 'mallory' }),
  drop: ({ subject = null }) => ({ subject }),
  unknownfield: (session) => ({ ...session, zzz: 1, extra: { only: 'this' } }),
};

/**
 * The API that the `hydrator` mutator sends a session to. `/N` is answered with status N.
 * @param {import('./server.mjs').Received} request
 * @returns {import('./server.mjs').Reply}
 */
export function hydrator(request) {
  const name = splitTarget(request).path.replaceAll('/', '');
  if (name === 'badjson') return notJson();
  if (/^\d+$/.test(name)) return json(Number(name));
  const change = Object.hasOwn(changes, name) ? changes[name] : (session) => session;
  return json(200, change(jsonObject(request)));
}
