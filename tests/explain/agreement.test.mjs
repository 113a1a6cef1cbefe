import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

import { readScenario, scenarioNames, writeConfiguration } from '../conformance/scenario.mjs';
import { whoami } from '../conformance/stand-ins/whoami.mjs';
import { differences, differingLines, listedView } from '../conformance/verdict.mjs';
import { view } from '../conformance/view.mjs';

// What `edgekeeper explain` says is what the real Oathkeeper v26.2.0 did, wherever the gateway does as Oathkeeper did: status, where
// a request goes on to, and the headers. `tests/conformance` holds the gateway to the same outcomes.

const root = fileURLToPath(new URL('../..', import.meta.url));
const command = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'debug/edgekeeper');

/** Where the scenarios' key server is: what it publishes, nobody knows offline. */
const keyServer = '127.0.0.1:38006';

/** Nobody listens there. */
const closed = '127.0.0.1:38019';

const counts = { cases: 0, equal: 0, listed: 0, elsewhere: 0, runtime: 0, differ: 0 };

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

test('every case is explained or needs what is not offline', (context) => {
  const { cases, equal, listed, elsewhere, runtime, differ } = counts;
  const told = `${cases} cases: ${equal} explained as it was, ${listed} with a listed difference, ${differ} otherwise`;
  context.diagnostic(`${told}; ${elsewhere} need what is not offline, ${runtime} differ by runtime`);
  assert.equal(equal + listed + elsewhere + runtime, cases);
  assert.ok(equal + listed >= 650, `only ${equal + listed} of ${cases} cases could be compared`);
});

function run(name) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-explain-'));
  try {
    const { requests, env, golden } = readScenario(name);
    const { config, edge } = writeConfiguration(name, folder, (text) => text);
    const lines = requests.map((request) => JSON.stringify(lineOf(request, golden.get(request.id))));
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

/** The request as it came in, and what whoami said to it. */
function lineOf({ method, host, target, headers = [], via }, { side }) {
  const line = { method, url: `http://${host}${target}`, headers, listener: via === undefined ? 'proxy' : 'api' };
  const question = side.find(({ service }) => service === 'kratos');
  if (question === undefined) return line;
  const sent = Object.entries(question.headers).flatMap(([name, values]) => values.map((value) => [name, value]));
  const { status, headers: own = {}, body = '' } = whoami({ ...question, headers: sent });
  return { ...line, whoami: { status, headers: Object.entries(own).map(([name, value]) => [name, String(value)]), body: question.method === 'HEAD' ? '' : body } };
}

function judge(name, golden, explanation, { via, target }) {
  // `OPTIONS *` is about the server, and no URL says it.
  if (target === '*') return { kind: 'elsewhere' };
  const questions = explanation.steps.filter(({ step }) => step === 'asked');
  // Oathkeeper remembered what it had been told before.
  const isRemembered = name.startsWith('introspection-cache/') && questions.some(({ status }) => status === undefined);
  const isElsewhere = isRemembered || golden.side.some(({ service }) => service !== 'kratos')
    // Whoami that redirects is asked twice, and says something else then.
    || golden.side.length > 1
    || questions.some(({ url }) => url.includes(keyServer) || url.includes(closed));
  if (isElsewhere) return { kind: 'elsewhere' };
  const listed = differences.filter((each) => each.case === name && (each.level ?? 'core') === 'core');
  const expected = view(golden);
  const got = outcomeOf(explanation, expected);
  const compared = (whole) => comparable(whole, explanation, via);
  if (isDeepStrictEqual(compared(got), compared(expected))) return { kind: 'equal' };
  for (const difference of listed) {
    const changed = listedView(expected, difference, expected);
    if (changed !== undefined && isDeepStrictEqual(compared(got), compared(changed))) return { kind: 'listed' };
  }
  if (listed.some(({ runtimes }) => !runtimes.includes('all'))) return { kind: 'runtime' };
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
function comparable({ status, headers, upstream }, { outcome }, via) {
  const masked = new Set(outcome.headers.filter(({ value }) => value.includes('***')).map(({ name }) => name));
  const shown = (own, isWanted) => Object.fromEntries(
    Object.entries(own ?? {}).filter(([name]) => isWanted(name) && !masked.has(name)).sort(([left], [right]) => (left < right ? -1 : 1)),
  );
  const ofAnswer = (name) => ['location', 'www-authenticate', 'retry-after'].includes(name) || name.startsWith('access-control-') || (via === 'decision' && name.startsWith('x-'));
  const ofUpstream = (name) => name.startsWith('x-') && !name.startsWith('x-forwarded-');
  return {
    // A forwarded request's status and headers are its upstream's.
    ...(upstream.length === 0 ? { status, headers: shown(headers, ofAnswer) } : {}),
    upstream: upstream.map(({ method, target, host, headers: own }) => ({ method, target, host, headers: shown(own, ofUpstream) })),
  };
}

function tally(results) {
  const kinds = new Map();
  for (const { kind } of results) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  return [...kinds].map(([kind, number]) => `${number} ${kind}`).join(', ');
}
