import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';

import { draw, pictures, take } from '../../scripts/screenshot.mjs';
import { file, hashIn, pageHash } from '../../scripts/screenshot-dev.mjs';

const root = resolve(import.meta.dirname, '../..');

for (const each of pictures) {
  test(`${each.file} is what the command prints`, () => {
    const taken = take(each, join(root, 'target/debug/edgekeeper'));
    assert.ok(taken === readFileSync(join(root, each.file), 'utf8'), 'it prints something else now: node scripts/screenshot.mjs');
  });
}

test('what a file says is no markup in a picture, and a look lasts until the next', () => {
  const svg = draw('\u001b[1;31merror\u001b[0m: <b> & "x"\n\u001b[1mon\nand on');
  assert.ok(svg.includes('<tspan fill="#f38ba8" font-weight="bold">error</tspan>'));
  assert.ok(svg.includes(': &lt;b&gt; &amp; "x"</tspan>'));
  assert.ok(svg.includes('font-weight="bold">and on</tspan>'));
});

// No two pictures of a page that is alive are the same, so what is held is which page it is of.
test('docs/dev.png is of the page as it is', () => {
  const png = readFileSync(file);
  assert.equal(png.latin1Slice(1, 4), 'PNG');
  assert.equal(hashIn(png), pageHash(), 'the page is another now: node scripts/screenshot-dev.mjs');
});
