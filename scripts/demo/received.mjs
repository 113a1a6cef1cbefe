/** Headers that gateways commonly set to say who someone is. */
const identityHeader = /^x-(user|auth|forwarded|session)/;

/**
 * What the upstream received, safe to show: cookies and other credentials by their length alone, and the
 * gateway's JWT decoded (not verified: the upstream of this demo only shows it).
 * @typedef {object} Received
 * @property {string} method
 * @property {string} url
 * @property {[string, string][]} headers in the order received, duplicates kept
 * @property {[string, string][]} identity those of the headers that say who someone is
 * @property {{ header: object, claims: object } | null} jwt
 */

/**
 * @param {import('node:http').IncomingMessage} request
 * @returns {Received}
 */
export function received(request) {
  const headers = [];
  for (let n = 0; n < request.rawHeaders.length; n += 2) {
    headers.push([request.rawHeaders[n], redact(request.rawHeaders[n], request.rawHeaders[n + 1])]);
  }
  return {
    method: request.method,
    url: request.url,
    headers,
    identity: headers.filter(([name]) => identityHeader.test(name.toLowerCase())),
    jwt: decodeJwt(request.headers.authorization),
  };
}

function redact(name, value) {
  switch (name.toLowerCase()) {
    case 'authorization':
      return decodeJwt(value) ? `a bearer JWT of ${value.length - 'Bearer '.length} characters` : `${value.length} characters`;
    case 'cookie':
    case 'proxy-authorization':
    case 'x-session-token':
      return `${value.length} characters`;
    default:
      return value;
  }
}

function decodeJwt(authorization) {
  const parts = /^Bearer ([\w-]+)\.([\w-]+)\.[\w-]+$/i.exec(authorization ?? '');
  if (!parts) return null;
  try {
    const [header, claims] = parts.slice(1).map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()));
    return { header, claims };
  } catch {
    return null;
  }
}
