import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { readScenario, scenarioNames, writeConfiguration } from '../conformance/scenario.mjs';
import { hydrator } from '../conformance/stand-ins/hydrator.mjs';
import { introspection } from '../conformance/stand-ins/introspection.mjs';
import { keys } from '../conformance/stand-ins/keys.mjs';
import { remote } from '../conformance/stand-ins/remote.mjs';
import { whoami } from '../conformance/stand-ins/whoami.mjs';
import { differences, differingLines, listedView } from '../conformance/verdict.mjs';
import { view } from '../conformance/view.mjs';

// What `edgekeeper explain` says is what the real Oathkeeper v26.2.0 did: status, where a request goes on to, and the headers, but for
// what differences.json lists. `tests/conformance` holds the gateway to the same outcomes, so the two agree. What other services answered
// is given to the command: it asks nobody.

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');

/** What other services answer, by the names they have in the outcomes. */
const services = { kratos: whoami, introspect: introspection, remote, hydrator };

/** Where the scenarios' key server is. It is not in the outcomes. */
const keyServer = /http:\/\/127\.0\.0\.1:38006(\/[^"'\s,\]]*)/g;

/** A hydrator that gives back what it is told of the match, which the outcomes leave out. */
const unwritten = ['mutators/hydsame-v'];

const counts = { cases: 0, equal: 0, listed: 0, elsewhere: 0, differ: 0 };

describe('explain in strict mode', { concurrency: 2 }, () => {
  for (const name of scenarioNames) {
    test(`${name}: what is explained is what happened`, (context) => {
      const results = run(name);
      for (const { kind } of results) counts[kind] += 1;
      counts.cases += results.length;
      context.diagnostic(`${name}: ${tally(results)}`);
      const differing = results.filter(({ kind }) => kind === 'differ');
      assert.deepEqual(differing.map(({ id, lines }) => [`${name}/${id}`, ...lines].join('\n    ')), []);
    });
  }
});

test('every case is explained that can be', (context) => {
  const { cases, equal, listed, elsewhere, differ } = counts;
  const told = `${cases} cases: ${equal} explained as it was, ${listed} with a listed difference, ${differ} otherwise`;
  context.diagnostic(`${told}; ${elsewhere} are not about a URL and answers that are written down`);
  assert.equal(equal + listed + elsewhere, cases);
  assert.ok(equal + listed >= cases - 6, `only ${equal + listed} of ${cases} cases could be compared`);
});

function run(name) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-explain-'));
  try {
    const { requests, env, golden } = readScenario(name);
    const { config, edge } = writeConfiguration(name, folder, (text) => text);
    const published = keySets([config, join(folder, 'rules.json')]);
    const lines = requests.map((request) => JSON.stringify(lineOf(request, golden.get(request.id), published)));
    writeFileSync(join(folder, 'requests'), lines.join('\n'));
    const options = ['--config', config, '--edge', edge, '--strict', '--requests', join(folder, 'requests')];
    const { status, stdout, stderr } = spawnSync(command, ['explain', ...options], {
      cwd: folder, env: { ...process.env, ...env }, encoding: 'utf8', maxBuffer: 1 << 28,
    });
    assert.equal(status, 0, stderr);
    const explanations = stdout.trimEnd().split('\n').map((line) => JSON.parse(line));
    assert.equal(explanations.length, requests.length);
    return requests.map((request, index) => ({
      id: request.id, ...judge(`${name}/${request.id}`, golden.get(request.id), explanations[index], request),
    }));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The request as it came in, and what other services said to Oathkeeper. */
function lineOf({ method, host, target, headers = [], via }, { side }, published) {
  const answers = side.map(answerTo);
  return { method, url: `http://${host}${target}`, headers, listener: via === undefined ? 'proxy' : 'api', answers: [...answers, ...published] };
}

function answerTo({ service, method, host, target, headers, body }) {
  const sent = Object.entries(headers).flatMap(([name, values]) => values.map((value) => [name, value]));
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return answer(services[service], { method, target, headers: sent, body: Buffer.from(text) }, `http://${host}`);
}

function answer(service, request, origin) {
  const { status, headers = {}, body = '' } = service(request);
  const lines = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return { url: `${origin}${request.target}`, status, headers: lines, body: request.method === 'HEAD' ? '' : body };
}

/** The key sets that a scenario's files name. */
function keySets(files) {
  const targets = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(keyServer)].map(([, target]) => target));
  return [...new Set(targets)].map((target) => answer(keys, { method: 'GET', target, headers: [], body: '' }, 'http://127.0.0.1:38006'));
}

function judge(name, golden, explanation, { via, target }) {
  // `OPTIONS *` is about the server, and no URL says it.
  if (target === '*' || unwritten.includes(name)) return { kind: 'elsewhere' };
  // Oathkeeper remembered what it had been told before.
  const questions = explanation.steps.filter(({ step }) => step === 'asked');
  if (name.startsWith('introspection-cache/') && golden.side.length === 0 && questions.length > 0) return { kind: 'elsewhere' };
  const listed = differences.filter((each) => each.case === name && (each.level ?? 'core') === 'core');
  const expected = view(golden);
  const got = outcomeOf(explanation, expected);
  const compared = (whole) => comparable(whole, got, explanation, via);
  if (isDeepStrictEqual(compared(got), compared(expected))) return { kind: 'equal' };
  for (const difference of listed) {
    const changed = listedView(expected, difference, expected);
    if (changed !== undefined && isDeepStrictEqual(compared(got), compared(changed))) return { kind: 'listed' };
  }
  return { kind: 'differ', lines: differingLines(compared(expected), compared(got)) };
}

/** An explanation as an outcome of the conformance suite. What an upstream answers is not the gateway's, so it is taken for given. */
function outcomeOf({ outcome }, expected) {
  const headers = {};
  for (const { name, value } of outcome.headers) (headers[name] ??= []).push(asOnTheWire(value));
  if (outcome.kind === 'answer') return { status: outcome.status, headers, upstream: [] };
  const { host: [host], ...rest } = headers;
  const [, target] = /^[a-z]+:\/\/[^/?]*(.*)$/s.exec(outcome.url);
  return { ...expected, upstream: [{ method: outcome.method, target: target.startsWith('/') ? target : `/${target}`, host, headers: rest }] };
}

/** The suite writes a header's bytes down one by one. */
function asOnTheWire(value) {
  return Buffer.from(value, 'utf8').toString('latin1');
}

/** What an explanation can be held to: not what it masks. */
function comparable({ status, headers, upstream }, got, { outcome }, via) {
  const masked = new Set(outcome.headers.filter(({ value }) => value.includes('***')).map(({ name }) => name));
  const shown = (own, isWanted) => Object.fromEntries(
    Object.entries(own ?? {}).filter(([name]) => isWanted(name) && !masked.has(name)).sort(([left], [right]) => (left < right ? -1 : 1)),
  );
  const ofAnswer = (name) => ['location', 'www-authenticate', 'retry-after'].includes(name) || name.startsWith('access-control-') || (via === 'decision' && name.startsWith('x-'));
  const ofUpstream = (name) => name.startsWith('x-') && !name.startsWith('x-forwarded-');
  return {
    // A forwarded request's status and headers are its upstream's.
    ...(upstream.length === 0 ? { status, headers: shown(headers, ofAnswer) } : {}),
    upstream: upstream.map(({ method, target, host, headers: own }, index) => (
      { method, target: maskedAs(got.upstream[index]?.target, target), host, headers: shown(own, ofUpstream) }
    )),
  };
}

/** A text with what an explanation masks in it masked, if it is that text. */
function maskedAs(explained, text) {
  const parts = (explained ?? '').split('***').map((part) => part.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text) ? explained : text;
}

function tally(results) {
  const kinds = new Map();
  for (const { kind } of results) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return [...kinds].map(([kind, number]) => `${number} ${kind}`).join(', ');
}
