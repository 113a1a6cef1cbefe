// Packs a compiled component: wasm-opt for the modules in it, and no names. Needs binaryen's wasm-opt, nothing else.
//
//   node edge/component/pack.mjs IN.wasm OUT.wasm
//
// Does nothing when OUT was made from the same input.
//
// wasm-opt knows modules and no components. A component holds its modules whole, each in a section of its own, and knows
// of them nothing but their imports and exports, which stay as they are (Component Model, Binary.md, `core:module`).
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const wasmOpt = fileURLToPath(new URL('../../node_modules/binaryen/bin/wasm-opt', import.meta.url));

// What rustc turns on for wasm32-wasip2. wasm-opt refuses what is not named here.
const features = ['bulk-memory', 'multivalue', 'mutable-globals', 'nontrapping-float-to-int', 'reference-types', 'sign-ext'];

const header = 8;
const custom = 0;
const coreModule = 1;
/** Sections that tell of the component to people. */
const dropped = ['component-name', 'producers'];

/** An unsigned LEB128 number: its value and the offset behind it. */
function readNumber(bytes, offset) {
  let value = 0;
  for (let shift = 0; shift < 32; shift += 7) {
    const byte = bytes[offset++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, offset];
  }
  throw new Error(`there is no number at byte ${offset}`);
}

function writeNumber(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Buffer.from([...bytes, value]);
}

function* sections(bytes) {
  for (let offset = header; offset < bytes.length; ) {
    const id = bytes[offset];
    const [size, start] = readNumber(bytes, offset + 1);
    offset = start + size;
    yield { id, content: bytes.subarray(start, offset) };
  }
}

function nameOf(content) {
  const [length, start] = readNumber(content, 0);
  return content.subarray(start, start + length).toString();
}

function optimised(module, folder) {
  const [before, after] = [join(folder, 'before.wasm'), join(folder, 'after.wasm')];
  writeFileSync(before, module);
  const enable = features.map((name) => `--enable-${name}`);
  const args = [wasmOpt, '-Oz', '--strip-debug', '--strip-producers', ...enable, before, '-o', after];
  const { status, error } = spawnSync(process.execPath, args, { stdio: ['ignore', 2, 2] });
  if (error) throw error;
  if (status !== 0) throw new Error(`wasm-opt ended with status ${status}`);
  const result = readFileSync(after);
  return result.length < module.length ? result : module;
}

const [input, output] = process.argv.slice(2);
if (output === undefined) {
  console.error('usage: node edge/component/pack.mjs IN.wasm OUT.wasm');
  process.exit(2);
}
const component = readFileSync(input);
if (component.subarray(0, header).toString('hex') !== '0061736d0d000100') {
  console.error(`edge/component/pack.mjs: ${input} is not a component`);
  process.exit(1);
}
const inputs = createHash('sha256');
for (const bytes of [component, readFileSync(fileURLToPath(import.meta.url)), readFileSync(wasmOpt)]) {
  inputs.update(createHash('sha256').update(bytes).digest());
}
const wanted = inputs.digest('hex');
const mark = `${output}.inputs`;
if (existsSync(output) && existsSync(mark) && readFileSync(mark, 'utf8') === wanted) process.exit(0);

const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-component-'));
try {
  const packed = [component.subarray(0, header)];
  for (const { id, content } of sections(component)) {
    if (id === custom && dropped.includes(nameOf(content))) continue;
    const kept = id === coreModule ? optimised(content, folder) : content;
    packed.push(Buffer.from([id]), writeNumber(kept.length), kept);
  }
  // To a name of its own first: nobody starts half of it.
  writeFileSync(`${output}.partial`, Buffer.concat(packed));
  renameSync(`${output}.partial`, output);
  writeFileSync(mark, wanted);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
