/** The cookies of one browser at one origin. */
export class CookieJar {
  #cookies = new Map();

  /**
   * Takes what a response sets and removes what it expires.
   * @param {Response} response
   * @returns {Response} the same response
   */
  store(response) {
    for (const line of response.headers.getSetCookie()) {
      const [pair, ...attributes] = line.split(/;\s*/);
      const equals = pair.indexOf('=');
      const name = pair.slice(0, equals);
      const value = pair.slice(equals + 1);
      const expired = attributes.some((attribute) => /^max-age=(0|-\d+)$/i.test(attribute));
      if (expired || value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }

  /**
   * @param {string} name
   * @returns {string | undefined}
   */
  get(name) {
    return this.#cookies.get(name);
  }

  /** The `Cookie` header to send; empty without cookies. */
  get header() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}
