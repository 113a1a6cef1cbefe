const json = { 'content-type': 'application/json', accept: 'application/json' };

/**
 * @typedef {object} Identity an identity as Kratos' admin API shows it
 * @property {string} id
 * @property {object} traits
 */

/**
 * Makes someone who can sign in with a password.
 * @param {import('./kratos.mjs').Kratos} kratos
 * @param {object} person
 * @param {string} person.email
 * @param {string} person.password
 * @param {boolean} [person.verified] whether the address counts as verified; yes by default
 * @param {object} [person.traits] more traits, such as `name`
 * @returns {Promise<Identity>}
 */
export async function createIdentity(kratos, { email, password, verified = true, traits = {} }) {
  return admin(kratos, 'POST', '/admin/identities', {
    schema_id: 'person',
    state: 'active',
    traits: { email, ...traits },
    credentials: { password: { config: { password } } },
    verifiable_addresses: [{ value: email, via: 'email', verified, status: verified ? 'completed' : 'pending' }],
  });
}

/**
 * Makes an identity inactive: its sessions stay stored, but whoami no longer accepts them.
 * @param {import('./kratos.mjs').Kratos} kratos
 * @param {string} id
 */
export async function disableIdentity(kratos, id) {
  const patch = [{ op: 'replace', path: '/state', value: 'inactive' }];
  return admin(kratos, 'PATCH', `/admin/identities/${id}`, patch);
}

/**
 * Removes an identity and everything of it.
 * @param {import('./kratos.mjs').Kratos} kratos
 * @param {string} id
 */
export async function deleteIdentity(kratos, id) {
  await admin(kratos, 'DELETE', `/admin/identities/${id}`);
}

/**
 * Ends one session, as an administrator would.
 * @param {import('./kratos.mjs').Kratos} kratos
 * @param {string} sessionId
 */
export async function revokeSession(kratos, sessionId) {
  await admin(kratos, 'DELETE', `/admin/sessions/${sessionId}`);
}

/**
 * Ends every session of an identity.
 * @param {import('./kratos.mjs').Kratos} kratos
 * @param {string} id
 */
export async function revokeSessions(kratos, id) {
  await admin(kratos, 'DELETE', `/admin/identities/${id}/sessions`);
}

async function admin(kratos, method, path, body) {
  const response = await fetch(`${kratos.admin}${path}`, {
    method,
    headers: json,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`Kratos answered ${response.status} to ${method} ${path}: ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}
