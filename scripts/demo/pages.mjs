import { html } from './html.mjs';
import { layout } from './layout.mjs';

/** What one can try, in the order that makes sense. */
const tries = [
  ['/protected', 'A page behind the gateway. Without a session you are sent to sign in, and come back.'],
  ['/api/whoami', 'The same for a program: without a session it gets a JSON error with status 401.'],
  ['/sse', 'Three events, as they come: bodies stream through in both directions.'],
  ['/settings', 'Change your password, or add a second factor and sign in again.'],
  ['/no-such-page', 'No rule matches: 404, and the upstream is never asked.'],
];

/** The public page: what this is and what to try. */
export function homePage() {
  return layout({
    title: 'One gateway, one session, one short-lived token',
    body: html`
<p>This page is public. A Kratos session is checked at the edge and reaches the upstream as a signed JWT.</p>
<section><h2>Try</h2><table>${tries.map(([path, what]) => html`<tr><th><a href="${path}">${path}</a></th><td>${what}</td></tr>`)}</table></section>`,
  });
}

/** Signing out is a link that only Kratos can hand out, because it holds a token against forged sign-outs. */
const logoutScript = `
const link = document.querySelector('#logout');
const answer = await fetch('/self-service/logout/browser', { headers: { accept: 'application/json' } });
if (answer.ok) { link.href = (await answer.json()).logout_url; link.hidden = false; }
`;

/**
 * Shows what came through the gateway.
 * @param {import('./received.mjs').Received} request
 */
export function protectedPage(request) {
  return layout({
    title: 'You came through the gateway',
    script: logoutScript,
    body: html`
<p>This is what the upstream received. <a id="logout" href="" hidden>Sign out</a></p>
<section id="jwt"><h2>Token</h2>${
      request.jwt
        ? html`<p class="soft">From the <code>Authorization</code> header, decoded:</p>${table(Object.entries(request.jwt.header), 'jwt-header')}<h2>Claims</h2>${table(Object.entries(request.jwt.claims).map(claim), 'jwt-claims')}`
        : html`<p class="bad">There is none. Was this page opened past the gateway?</p>`
    }</section>
<section><h2>Identity headers</h2>${request.identity.length > 0 ? table(request.identity, 'identity') : html`<p class="soft">None.</p>`}</section>
<section><h2>All headers</h2><p class="soft">${request.method} ${request.url}; credentials by their length only.</p>${table(request.headers, 'headers')}</section>`,
  });
}

function claim([name, value]) {
  const isTime = ['exp', 'iat', 'nbf'].includes(name) && typeof value === 'number';
  return [name, isTime ? `${value} (${new Date(value * 1000).toISOString().slice(0, 19)} UTC)` : value];
}

function table(rows, id) {
  const text = (value) => (typeof value === 'string' ? value : JSON.stringify(value));
  return html`<table class="data" id="${id}">${rows.map(([name, value]) => html`<tr><th>${name}</th><td>${text(value)}</td></tr>`)}</table>`;
}

/**
 * A page with one message, for what has no page of its own.
 * @param {string} title
 * @param {string} message
 */
export function messagePage(title, message) {
  return layout({ title, body: html`<section><p>${message}</p></section>` });
}
