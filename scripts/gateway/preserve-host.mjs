/**
 * Gives each upstream that wants the client's `Host` a binding of its own.
 *
 * The runtime's fetch takes `Host` from the URL, so an upstream's address and another host cannot both be in it. A
 * binding has a fixed address and leaves the URL to say the host. On Cloudflare such a binding is a `[[services]]`
 * entry; locally it is an external server.
 * @param {string} policy the policy document, as JSON text
 * @returns {{ policy: string, bindings: Record<string, { external: { address: string, http: object } }>, unbound: string[] }}
 *   `unbound` are the ids of rules whose upstream will get its own `Host` after all
 */
export function bindPreservedHosts(policy) {
  const document = JSON.parse(policy);
  const names = new Map();
  const bindings = {};
  const unbound = [];
  for (const { id, upstream } of document.rules) {
    if (!upstream?.preserve_host || upstream.binding !== undefined) continue;
    const { protocol, hostname, port } = new URL(upstream.url);
    if (protocol !== 'http:') {
      unbound.push(id);
      continue;
    }
    const address = `${hostname}:${port || 80}`;
    if (!names.has(address)) names.set(address, `PRESERVE_HOST_${names.size + 1}`);
    upstream.binding = names.get(address);
    bindings[upstream.binding] = { external: { address, http: {} } };
  }
  return { policy: JSON.stringify(document), bindings, unbound };
}
