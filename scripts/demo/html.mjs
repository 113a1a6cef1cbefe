/** Text that is HTML already, so that {@link html} does not escape it again. */
class Html {
  #text;
  constructor(text) {
    this.#text = text;
  }
  toString() {
    return this.#text;
  }
}

const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/**
 * Builds HTML; every value put in is escaped, unless this function made it. Lists are joined, `undefined`, `null`
 * and `false` are left out.
 * @param {TemplateStringsArray} parts
 * @param {...unknown} values
 * @returns {Html}
 */
export function html(parts, ...values) {
  return new Html(parts.reduce((text, part, n) => text + render(values[n - 1]) + part));
}

function render(value) {
  if (value === undefined || value === null || value === false) return '';
  if (Array.isArray(value)) return value.map(render).join('');
  if (value instanceof Html) return value.toString();
  return String(value).replace(/[&<>"']/g, (character) => escapes[character]);
}
