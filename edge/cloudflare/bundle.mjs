// Packs the compiled Worker for Cloudflare: wasm-bindgen, then wasm-opt, then one minified module around it.
//
//   node edge/cloudflare/bundle.mjs WASM BINDGEN OUT_DIR
//
// Does nothing when OUT_DIR was made from the same inputs. scripts/build calls it.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const root = fileURLToPath(new URL('../../', import.meta.url));
const shim = fileURLToPath(new URL('shim.mjs', import.meta.url));
const wasmOpt = join(root, 'node_modules/binaryen/bin/wasm-opt');

// What rustc turns on for wasm32-unknown-unknown and wasm-bindgen adds. wasm-opt refuses what is not named here.
const features = [
  'bulk-memory',
  'bulk-memory-opt',
  'exception-handling',
  'multivalue',
  'mutable-globals',
  'nontrapping-float-to-int',
  'reference-types',
  'sign-ext',
];

const [wasm, bindgen, outDir] = process.argv.slice(2).map((path) => resolve(path));
if (outDir === undefined) {
  console.error('usage: node edge/cloudflare/bundle.mjs WASM BINDGEN OUT_DIR');
  process.exit(2);
}

// Beside the folder, not in it: wrangler uploads what lies in the folder.
const mark = `${outDir}.inputs`;
const inputs = createHash('sha256');
for (const path of [wasm, bindgen, shim, fileURLToPath(import.meta.url), join(root, 'package-lock.json')]) {
  inputs.update(createHash('sha256').update(readFileSync(path)).digest());
}
const wanted = inputs.digest('hex');
const outputs = ['index.js', 'index_bg.wasm'];
const made = existsSync(mark) && readFileSync(mark, 'utf8') === wanted && outputs.every((name) => existsSync(join(outDir, name)));

if (!made) {
  mkdirSync(outDir, { recursive: true });
  // Two builds at once each work in a folder of their own; a rename puts the result in place whole.
  const stage = mkdtempSync(join(dirname(outDir), '.stage-'));
  try {
    await pack(stage);
    for (const name of outputs) renameSync(join(stage, 'out', name), join(outDir, name));
    writeFileSync(mark, wanted);
  } catch (error) {
    console.error(`bundle: ${error.message}`);
    process.exitCode = 1;
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Runs a program that prints its own errors; ends this one when it fails. */
function run(program, args) {
  const { status, signal, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (status !== 0) throw new Error(`${program} ended with ${error?.message ?? signal ?? `status ${status}`}`);
}

/** @param {string} stage an empty folder; the result is in its `out` */
async function pack(stage) {
  const out = join(stage, 'out');
  mkdirSync(out);
  run(bindgen, [wasm, stage]);
  const enable = features.map((name) => `--enable-${name}`);
  // rustc puts the stack lowest and it grows down: what is below 1,024 is never reached but by an overflow of 1 MiB.
  const passes = ['--gufa', '--low-memory-unused', '-Oz', '--converge'];
  run(process.execPath, [wasmOpt, ...passes, ...enable, join(stage, 'index_bg.wasm'), '-o', join(out, 'index_bg.wasm')]);
  copyFileSync(shim, join(stage, 'shim.mjs'));
  const bundled = await build({
    absWorkingDir: stage,
    entryPoints: ['shim.mjs'],
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    supported: { 'import-source': true },
    external: ['./index_bg.wasm', './policy.json', 'cloudflare:*'],
    legalComments: 'none',
    logLevel: 'warning',
    write: false,
  });
  // wasm-bindgen writes a source-phase import; Workers give a compiled module to the plain form.
  const module = bundled.outputFiles[0].text.replace(/\bimport source /g, 'import ');
  writeFileSync(join(out, 'index.js'), module);
}
