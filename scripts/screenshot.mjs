// The pictures in the documents of what the command prints: runs it, and draws its lines with their colours as SVG.
//
//   node scripts/screenshot.mjs [BINARY]     takes all of them anew; target/debug/edgekeeper by default
//
// The page of `edgekeeper dev` is another picture: scripts/screenshot-dev.mjs.
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';

const size = { font: 14, line: 19, character: 8.43, margin: 16 };
// Lines of one picture, at most.
const most = 45;
const ground = '#1e1e2e';
const plain = '#cdd6f4';
const colours = { 31: '#f38ba8', 32: '#a6e3a1', 33: '#f9e2af', 34: '#89b4fa', 36: '#94e2d5' };

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** The runs of one look in a line, and the look that the next line begins with. */
function runs(line, look) {
  const found = [];
  for (const [, sequence, text] of line.matchAll(/\u001b\[([\d;]*)m|([^\u001b]+)/g)) {
    if (text) {
      found.push({ text, ...look });
      continue;
    }
    look = { bold: false, colour: plain };
    for (const code of sequence.split(';')) {
      if (code === '1') look.bold = true;
      if (colours[code]) look.colour = colours[code];
    }
  }
  return { found, look };
}

/**
 * Draws what a terminal shows.
 * @param {string} text with escape sequences for colours and bold
 * @returns {string} SVG
 */
export function draw(text) {
  const lines = text.replace(/\n$/, '').split('\n');
  let look = { bold: false, colour: plain };
  let widest = 0;
  const rows = lines.map((line, index) => {
    const read = runs(line, look);
    look = read.look;
    widest = Math.max(widest, [...line.replaceAll(/\u001b\[[\d;]*m/g, '')].length);
    const spans = read.found.map(({ text, bold, colour }) => `<tspan fill="${colour}"${bold ? ' font-weight="bold"' : ''}>${escape(text)}</tspan>`);
    return `<text x="${size.margin}" y="${size.margin + size.font + index * size.line}" xml:space="preserve">${spans.join('')}</text>`;
  });
  const width = Math.ceil(widest * size.character) + 2 * size.margin;
  const height = lines.length * size.line + 2 * size.margin;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${size.font}">`,
    `<rect width="100%" height="100%" rx="8" fill="${ground}"/>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

/** Runs a command in a folder and draws it with the beginning of what it printed. */
function picture(command, cwd) {
  const { stdout, stderr, error } = spawnSync(command[0], command.slice(1), { cwd, encoding: 'utf8' });
  if (error) throw error;
  const printed = `${stdout}${stderr}`.replace(/\n$/, '').split('\n');
  const shown = printed.length > most ? [...printed.slice(0, most), '…'] : printed;
  const quoted = command.slice(1).map((argument) => (argument.includes(' ') ? `'${argument}'` : argument));
  // Not what only the picture needs.
  const typed = [basename(command[0]), ...quoted].join(' ').replace(' --color always', '');
  return draw([`\u001b[1;32m$\u001b[0m \u001b[1m${typed}\u001b[0m`, ...shown].join('\n'));
}

const root = resolve(import.meta.dirname, '..');

/** The pictures in the documents: each by its file, with what is run where. */
export const pictures = [
  {
    file: 'docs/check.svg',
    in: 'edge/cli/tests/team',
    command: ['edgekeeper', 'check', '--color', 'always'],
  },
  {
    file: 'docs/explain.svg',
    in: 'scripts/demo',
    command: ['edgekeeper', 'explain', 'GET', 'http://localhost:4455/protected', '--header', 'Accept: text/html', '--config', 'oathkeeper.yml', '--edge', 'edge.yml'],
  },
];

/**
 * Takes one of them.
 * @param {typeof pictures[number]} of
 * @param {string} binary the command that was built
 * @returns {string} SVG
 */
export const take = (of, binary) => picture([binary, ...of.command.slice(1)], resolve(root, of.in));

if (import.meta.filename === process.argv[1]) {
  const [binary = join(root, 'target/debug/edgekeeper')] = process.argv.slice(2);
  for (const each of pictures) writeFileSync(join(root, each.file), take(each, binary));
}
