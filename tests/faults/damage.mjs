// What can be wrong with an entry of the store, apart from its not being there. Whoever can write to the store must gain
// nothing by it.

// The Ed25519 key of RFC 8037, appendix A, whose private half everybody knows.
const knownPrivateHalf = 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A';
const knownKey = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo', alg: 'EdDSA', use: 'sig' };
const knownKid = 'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k';

/**
 * Entries in the place of a signing key, none of which may sign.
 * @param {string} text the entry as it was
 * @returns {Record<string, string>} by what is wrong with it
 */
export function damagedKeys(text) {
  const entry = JSON.parse(text);
  const changed = (changes) => JSON.stringify({ ...entry, ...changes });
  return {
    nothing: '',
    'text that is no JSON': 'corrupt',
    'a part of it': text.slice(0, text.length / 2),
    'another JSON value': '[]',
    'an object of another kind': '{"format":1}',
    'a format from the future': changed({ format: 99 }),
    'a damaged private half': changed({ sealed: swapped(entry.sealed) }),
    'no private half': changed({ sealed: '' }),
    "another's private half, not sealed": changed({ sealed: knownPrivateHalf }),
    'another public half': changed({ public: { ...knownKey, kid: entry.kid } }),
    "another's public half with its name": changed({ public: { ...knownKey, kid: knownKid }, kid: knownKid }),
    'another name': changed({ kid: knownKid, public: { ...entry.public, kid: knownKid } }),
    'another period': changed({ period: entry.period - 1 }),
    'another length': changed({ length: entry.length * 2 }),
    'another time of making': changed({ created: entry.created - 1 }),
  };
}

/**
 * Entries in the place of what Kratos said of a session, none of which may count.
 * @param {string} text the entry as it was
 * @param {string} anothers the entry of another session
 * @param {object} session a session as Kratos tells of one, to be forged
 * @returns {Record<string, string>} by what is wrong with it
 */
export function damagedRecords(text, anothers, session) {
  const [until, sealed] = text.split(' ');
  return {
    nothing: '',
    'text that is no entry': 'corrupt',
    'a part of it': text.slice(0, text.length / 2),
    'an end alone': `${until} `,
    'a later end': `${Number(until) + 3600} ${sealed}`,
    'a damaged seal': `${until} ${swapped(sealed)}`,
    "another's": anothers,
    'a session that is not sealed': `${until} ${JSON.stringify(session)}`,
    'a session that looks sealed': `${until} ${Buffer.from(JSON.stringify(session)).toString('base64url')}`,
  };
}

/** Base64url with one character in its middle changed. */
function swapped(text) {
  const at = text.length >> 1;
  return text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
}

/**
 * What of an entry must not be in a log: what is sealed, and what should have been. A key's name and its public half, of 43
 * characters each, may be.
 * @param {string} text
 * @returns {string[]}
 */
export function secretsOf(text) {
  const sealed = [...text.matchAll(/[\w-]{44,}/g)].map(([secret]) => secret.slice(0, 40));
  return [...sealed, knownPrivateHalf];
}
