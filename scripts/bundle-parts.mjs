// Prints what each part of a Wasm module costs: the crates, and the modules of our own. Reads the module as the compiler
// wrote it, with its name section: the packed one has no names. gzip is of each part by itself, so the sum is more than
// that of the whole.
//
//   node scripts/bundle-parts.mjs target/wasm32-unknown-unknown/release/edgekeeper_cloudflare.wasm
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** Parts below this share of the code are summed up in one line. */
const smallest = 0.01;

const module = readFileSync(process.argv[2]);
const parts = new Map();
const names = functionNames(module);
for (const [index, body] of functionBodies(module)) {
  const part = partOf(names.get(index) ?? '');
  if (!parts.has(part)) parts.set(part, []);
  parts.get(part).push(body);
}
const data = sections(module).filter(({ id }) => id === 11).map(({ content }) => content);
parts.set('data: tables, texts', data);

const rows = [...parts].map(([name, pieces]) => {
  const bytes = Buffer.concat(pieces);
  return { name, raw: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
});
const total = rows.reduce((sum, { raw }) => sum + raw, 0);
const shown = rows.filter(({ raw }) => raw >= total * smallest).sort((a, b) => b.raw - a.raw);
const rest = rows.filter(({ raw }) => raw < total * smallest);
for (const { name, raw, gzip } of shown) print(name, raw, gzip);
print(`${rest.length} more`, sum(rest, 'raw'), sum(rest, 'gzip'));

function print(name, raw, gzip) {
  console.log(`  ${name.padEnd(44)} ${String(raw).padStart(8)} ${String(gzip).padStart(8)} gzipped ${((raw * 100) / total).toFixed(1).padStart(5)} %`);
}

function sum(list, key) {
  return list.reduce((total, row) => total + row[key], 0);
}

/** The crate of a function, and in our own crates its module. Generic code belongs to what it was made for, if that is ours. */
function partOf(symbol) {
  const path = symbol.startsWith('_ZN') ? legacy(symbol) : [firstCrate(symbol)];
  const own = symbol.match(/\d+(edgekeeper_[a-z]+)/)?.[1];
  const [first = ''] = path;
  const crate = /^[a-z][a-z0-9_]*$/.test(first) ? first : (own ?? crateIn(first));
  if (!crate.startsWith('edgekeeper_')) return crate || 'without a name';
  const modules = path[0] === crate ? path.slice(1).filter((part) => /^[a-z][a-z0-9_]*$/.test(part)) : [];
  return [crate, ...modules.slice(0, ['authenticators', 'authorizers', 'mutators'].includes(modules[0]) ? 2 : 1)].join('::');
}

/** The crate in `_$LT$$RF$mut$u20$serde_json..de..Deserializer$LT$R$GT$…`. */
function crateIn(name) {
  return name.replace(/\$[A-Za-z0-9]+\$/g, ' ').match(/(?:^|[ _])([a-z][a-z0-9_]*)\.\./)?.[1] ?? '';
}

/** The first crate in a symbol of Rust's own libraries, which have the newer mangling. */
function firstCrate(symbol) {
  const [, length, rest] = symbol.match(/Cs[0-9A-Za-z]+_(\d+)(.*)/) ?? [];
  return rest?.slice(0, Number(length)).replace(/^_+/, '') ?? '';
}

/** The parts of a symbol in Rust's legacy mangling, without its hash. */
function legacy(symbol) {
  const path = [];
  let at = 3;
  for (;;) {
    const length = /^\d+/.exec(symbol.slice(at))?.[0];
    if (length === undefined) break;
    at += length.length;
    path.push(symbol.slice(at, at + Number(length)));
    at += Number(length);
  }
  return path.filter((part) => !/^h[0-9a-f]{16}$/.test(part));
}

function sections(bytes) {
  const found = [];
  for (let at = 8; at < bytes.length; ) {
    const id = bytes[at];
    const [length, start] = number(bytes, at + 1);
    found.push({ id, content: bytes.subarray(start, start + length) });
    at = start + length;
  }
  return found;
}

function* functionBodies(bytes) {
  const imported = importedFunctions(bytes);
  const code = sections(bytes).find(({ id }) => id === 10).content;
  let [count, at] = number(code, 0);
  for (let index = 0; index < count; index++) {
    const [length, start] = number(code, at);
    yield [imported + index, code.subarray(start, start + length)];
    at = start + length;
  }
}

function importedFunctions(bytes) {
  const content = sections(bytes).find(({ id }) => id === 2)?.content;
  if (content === undefined) return 0;
  let functions = 0;
  let [count, at] = number(content, 0);
  for (; count > 0; count--) {
    for (let name = 0; name < 2; name++) {
      const [length, start] = number(content, at);
      at = start + length;
    }
    const kind = content[at++];
    if (kind === 0) functions++;
    else if (kind !== 3 && kind !== 1 && kind !== 2) throw new Error(`an import of kind ${kind}`);
    if (kind === 1) at++;
    if (kind === 1 || kind === 2) {
      const bounded = content[at++] & 1;
      for (let bound = 0; bound <= bounded; bound++) [, at] = number(content, at);
    } else if (kind === 3) at += 2;
    else [, at] = number(content, at);
  }
  return functions;
}

function functionNames(bytes) {
  const found = new Map();
  for (const { id, content } of sections(bytes)) {
    if (id !== 0) continue;
    const [length, start] = number(content, 0);
    if (content.subarray(start, start + length).toString() !== 'name') continue;
    for (let at = start + length; at < content.length; ) {
      const kind = content[at];
      const [size, from] = number(content, at + 1);
      if (kind === 1) {
        let [count, place] = number(content, from);
        for (; count > 0; count--) {
          const [index, afterIndex] = number(content, place);
          const [bytesOfName, nameStart] = number(content, afterIndex);
          found.set(index, content.subarray(nameStart, nameStart + bytesOfName).toString());
          place = nameStart + bytesOfName;
        }
      }
      at = from + size;
    }
  }
  return found;
}

/** An unsigned LEB128 number, and where it ends. */
function number(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if ((byte & 0x80) === 0) return [value, at];
  }
}
