import { randomBytes } from 'node:crypto';

import { html } from './html.mjs';

const style = `
:root { color-scheme: light dark; --ink: light-dark(#1c1f24, #e6e8eb); --soft: light-dark(#5b6470, #9aa4b1);
  --line: light-dark(#d9dee5, #343b45); --paper: light-dark(#f6f7f9, #14171b); --card: light-dark(#fff, #1c2026);
  --accent: light-dark(#0b5cad, #7ab8ff); --bad: light-dark(#a61b1b, #ff9c9c); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.25rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, sans-serif; }
header { display: flex; gap: 1.25rem; align-items: baseline; margin-bottom: 1.5rem; }
header strong { margin-right: auto; }
a { color: var(--accent); }
h1 { font-size: 1.6rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.05rem; margin: 1.2rem 0 .5rem; }
h2:first-child { margin-top: 0; }
section, form { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1.1rem 1.25rem; margin: 1rem 0; }
p { margin: .4rem 0; }
.soft { color: var(--soft); }
.bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
th { width: 11rem; padding-right: 1rem; font-weight: 500; color: var(--soft); }
tr:first-child > * { border-top: 0; }
pre, code, .data td { font-family: ui-monospace, monospace; font-size: .875rem; }
pre { overflow-x: auto; margin: .4rem 0 0; }
label { display: block; margin: .7rem 0; }
label > span { display: block; font-size: .9rem; color: var(--soft); }
input { width: 100%; font: inherit; padding: .5rem .6rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--paper); color: inherit; }
input[type=checkbox] { width: auto; }
button { font: inherit; padding: .5rem 1.1rem; margin: .5rem .5rem 0 0; border: 0; border-radius: .4rem; background: var(--accent); color: var(--card); cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
`;

/**
 * A whole page, with the policy that lets nothing but its own style and script run.
 * @param {object} page
 * @param {string} page.title
 * @param {unknown} page.body made with `html`
 * @param {string} [page.script] a module of ours
 * @returns {{ headers: Record<string, string>, text: string }}
 */
export function layout({ title, body, script }) {
  const nonce = randomBytes(16).toString('base64url');
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    script ? `script-src 'nonce-${nonce}'` : "script-src 'none'",
    "connect-src 'self'",
    "form-action 'self'",
    'img-src data:',
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  const page = html`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Edgekeeper demo</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">`;
  const rest = html`</style>
<header><strong>Edgekeeper demo</strong><a href="/">Start</a><a href="/protected">Protected page</a></header>
<main>
<h1>${title}</h1>
${body}
</main>
`;
  const code = script ? `<script type="module" nonce="${nonce}">${script}</script>\n` : '';
  return {
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': policy.join('; '),
      'referrer-policy': 'same-origin',
    },
    text: `${page}${style}${rest}${code}`,
  };
}
