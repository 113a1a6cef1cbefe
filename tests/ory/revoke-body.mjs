import { readFileSync } from 'node:fs';

const source = readFileSync(new URL('../../deploy/kratos/revoke.jsonnet', import.meta.url), 'utf8');

/**
 * deploy/kratos/revoke.jsonnet with a secret in it, as an operator puts it there.
 * @param {string} secret
 * @returns {string}
 */
export function revokeBody(secret) {
  return source.replace("'REVOCATION_SECRET'", () => JSON.stringify(secret));
}
