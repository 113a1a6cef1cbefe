// HTTP/1.1 as bytes on a socket. Node's own client and server refuse some of what the cases send (targets with odd bytes,
// methods in lower case) and rewrite some of what they compare (header names, duplicates).

/** No head of a test is longer. */
const longestHead = 256 * 1024;

/**
 * A request or response as it came, headers in order.
 * @typedef {object} Head
 * @property {string} start the request line or status line
 * @property {[string, string][]} headers
 */

/** The bytes of a socket, read by lines and lengths. */
export class Reader {
  #chunks;
  #buffer = Buffer.alloc(0);

  /** @param {import('node:net').Socket} socket */
  constructor(socket) {
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  /**
   * The next head.
   * @returns {Promise<Head | undefined>} `undefined` when the other side has closed between two messages
   * @throws {Error} when it closed within one
   */
  async head() {
    if (this.#buffer.length === 0 && !(await this.#more())) return undefined;
    const start = await this.#line();
    const headers = [];
    for (let line = await this.#line(); line !== ''; line = await this.#line()) {
      const colon = line.indexOf(':');
      headers.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
    }
    return { start, headers };
  }

  /**
   * The body behind a head whose length the head tells.
   * @param {[string, string][]} headers
   * @returns {Promise<Buffer | undefined>} `undefined` when the head tells no length
   */
  async body(headers) {
    if (/\bchunked$/i.test(valueOf(headers, 'transfer-encoding') ?? '')) return this.#chunked();
    const length = valueOf(headers, 'content-length');
    return length === undefined ? undefined : this.#exactly(Number(length));
  }

  /** Everything until the other side closes. */
  async rest() {
    while (await this.#more());
    return this.#take(this.#buffer.length);
  }

  async #chunked() {
    const parts = [];
    for (;;) {
      const size = Number.parseInt(await this.#line(), 16);
      if (Number.isNaN(size)) throw new Error('a chunk without a size');
      if (size === 0) break;
      parts.push(await this.#exactly(size));
      await this.#line();
    }
    while ((await this.#line()) !== '');
    return Buffer.concat(parts);
  }

  async #line() {
    for (;;) {
      const end = this.#buffer.indexOf('\n');
      if (end >= 0) return this.#take(end + 1).toString('latin1').replace(/\r?\n$/, '');
      if (this.#buffer.length > longestHead) throw new Error('a line without an end');
      if (!(await this.#more())) throw new Error('closed within a message');
    }
  }

  async #exactly(length) {
    while (this.#buffer.length < length) if (!(await this.#more())) throw new Error('closed within a body');
    return this.#take(length);
  }

  #take(length) {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }

  async #more() {
    const { done, value } = await this.#chunks.next();
    if (!done) this.#buffer = Buffer.concat([this.#buffer, value]);
    return !done;
  }
}

/**
 * All the values of a header.
 * @param {[string, string][]} headers
 * @param {string} name in lower case
 * @returns {string[]}
 */
export function valuesOf(headers, name) {
  return headers.filter(([own]) => own.toLowerCase() === name).map(([, value]) => value);
}

/**
 * The first value of a header.
 * @param {[string, string][]} headers
 * @param {string} name in lower case
 * @returns {string | undefined}
 */
export function valueOf(headers, name) {
  return valuesOf(headers, name)[0];
}

/**
 * Whether a response with this status has no body, whatever its head says.
 * @param {number} status
 * @returns {boolean}
 */
export function isBodiless(status) {
  return status < 200 || status === 204 || status === 304;
}
