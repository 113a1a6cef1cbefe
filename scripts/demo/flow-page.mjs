import { html } from './html.mjs';
import { layout } from './layout.mjs';

const titles = {
  login: 'Sign in',
  registration: 'Create an account',
  settings: 'Your account',
  verification: 'Confirm your address',
  recovery: 'Recover your account',
};

/** The kinds of flow that have a page, each at `/<kind>`. */
export const flowKinds = Object.keys(titles);

/**
 * The page of one self-service flow: Kratos says which fields there are, this only shows them.
 * @param {string} kind one of {@link flowKinds}
 * @param {object} flow
 */
export function flowPage(kind, flow) {
  const nodes = flow.ui.nodes;
  const shared = nodes.filter((node) => node.group === 'default');
  const groups = [...new Set(nodes.map((node) => node.group))].filter((group) => group !== 'default');
  const forms = groups.length === 0 ? [shared] : formsOf(kind, nodes, shared, groups);
  const title = kind === 'login' && flow.requested_aal === 'aal2' ? 'Second factor' : titles[kind];
  return layout({
    title,
    body: html`
${messages(flow.ui.messages)}
${forms.map((form) => html`<form method="${flow.ui.method}" action="${flow.ui.action}">${form.map(field)}</form>`)}
${sendsMail(kind) && html`<p class="soft">The demo sends no mail: Kratos keeps its messages to itself.</p>`}
${otherWays(kind, flow)}`,
  });
}

function sendsMail(kind) {
  return kind === 'verification' || kind === 'recovery';
}

/** Settings are independent of each other; in every other flow all fields belong to one submission. */
function formsOf(kind, nodes, shared, groups) {
  if (kind !== 'settings') return [nodes];
  return groups.map((group) => [...shared, ...nodes.filter((node) => node.group === group)]);
}

/**
 * Shown when Kratos has no such flow, or not for this browser.
 * @param {string} kind
 * @param {string} reason
 */
export function staleFlowPage(kind, reason) {
  return layout({
    title: titles[kind],
    body: html`<section><p>${reason}</p><p><a href="/self-service/${kind}/browser">Start again</a></p></section>`,
  });
}

function field(node) {
  const a = node.attributes;
  const label = node.meta?.label?.text;
  switch (a.node_type) {
    case 'input':
      return html`${input(a, label)}${messages(node.messages)}`;
    case 'text':
      return html`<p>${label}</p><pre>${secretsOf(a.text)}</pre>`;
    case 'img':
      return html`<p><img src="${a.src}" width="${a.width}" height="${a.height}" alt="${label}"></p>`;
    case 'a':
      return html`<p><a href="${a.href}">${a.title?.text}</a></p>`;
    default:
      return undefined;
  }
}

/** Lookup codes come as a list of texts, everything else as one. */
function secretsOf(text) {
  const list = text.context?.secrets;
  return Array.isArray(list) ? list.map((secret) => secret.text).join('\n') : text.text;
}

function input(a, label) {
  const value = a.value ?? '';
  if (a.type === 'hidden') return html`<input type="hidden" name="${a.name}" value="${value}">`;
  if (a.type === 'submit' || a.type === 'button') {
    return html`<button type="submit" name="${a.name}" value="${value}" formnovalidate ${flag(a.disabled, html`disabled`)}>${label}</button>`;
  }
  const autocomplete = a.autocomplete ?? (a.name === 'identifier' ? 'username' : 'on');
  const required = flag(a.required, html`required`);
  return html`<label><span>${label ?? a.name}</span><input type="${a.type}" name="${a.name}" value="${value}" autocomplete="${autocomplete}" ${required} ${flag(a.disabled, html`disabled`)}></label>`;
}

function flag(on, attribute) {
  return on ? attribute : undefined;
}

function messages(list = []) {
  return list.map((message) => html`<p class="${message.type === 'error' ? 'bad' : 'soft'}" role="status">${message.text}</p>`);
}

function otherWays(kind, flow) {
  const other = { login: ['registration', 'No account yet? Create one'], registration: ['login', 'Have an account? Sign in'] }[kind];
  if (!other || flow.requested_aal === 'aal2') return undefined;
  const [target, text] = other;
  const query = flow.return_to ? `?${new URLSearchParams({ return_to: flow.return_to })}` : '';
  return html`<p><a href="/self-service/${target}/browser${query}">${text}</a></p>`;
}
