import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { installedSpin } from '../../scripts/gateway/spin.mjs';
import { startUpstream } from '../runtimes/upstream.mjs';
import { logged, policyFor, reasons } from '../wasi/gateway.mjs';
import { application, reaching, startGateway } from './gateway.mjs';

// Where the policy comes from, and that nothing passes without one.

let upstream;
let folder;

before(async () => {
  upstream = await startUpstream();
  folder = mkdtempSync(join(tmpdir(), 'edgekeeper-tests-spin-policy-'));
});
after(async () => {
  await upstream?.stop();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => upstream.take());

/** `spin`, which puts an entry into the store first: with a flag of its own that the gateway's scripts never use. */
function spinWith(key, value) {
  const entry = join(folder, `${key}.entry`);
  writeFileSync(entry, value);
  const path = join(folder, `spin-with-${key}`);
  writeFileSync(path, `#!/bin/sh\nexec '${installedSpin()}' "$@" --key-value "${key}=$(cat '${entry}')"\n`, { mode: 0o755 });
  return path;
}

async function withGateway(options, check) {
  const gateway = await startGateway(options);
  try {
    await check(gateway);
  } finally {
    await gateway.stop();
  }
}

async function refuses(gateway, reason) {
  for (let n = 0; n < 2; n++) {
    const answer = await gateway.ask('http://open.test/');
    assert.equal(answer.status, 503);
    assert.equal(answer.header('content-type'), 'application/json');
  }
  assert.equal((await gateway.ask('http://open.test/', { method: 'HEAD' })).text, '');
  assert.deepEqual(upstream.take(), []);
  await logged(gateway, /("msg":"policy"[^]*){3}/);
  const said = reasons(gateway, 'policy');
  assert.equal(said.length, 3, 'one line for each request, each of which tries again');
  for (const each of said) assert.match(each, reason);
}

test('the policy can be an entry of the key-value store', async () => {
  const policy = policyFor({ upstream: upstream.origin });
  const { from, remove } = application('', reaching(upstream.origin));
  const options = { from, spinBin: spinWith('rules', policy), variables: ['policy=store:rules'] };
  await withGateway(options, async (gateway) => {
    assert.equal((await gateway.ask('http://open.test/')).status, 200);
    assert.equal((await gateway.ask('http://page.test/')).status, 401);
  });
  remove();
});

for (const [name, policy, reason] of [
  ['that is empty', '', /`file:\/policy\.json`: .*edgekeeper build/],
  ['that is no JSON', '{"format":2,', /line 1/],
  ['of another format', '{"format":99,"errors":[],"rules":[]}', /format/],
]) {
  test(`a policy ${name} is 503, with the reason in the log`, async () => {
    const { from, remove } = application(policy);
    await withGateway({ from }, (gateway) => refuses(gateway, reason));
    remove();
  });
}

for (const [variable, reason] of [
  ['policy=file:/missing.json', /`\/missing\.json` cannot be read: .*`files`.*spin\.toml/],
  ['policy=store:missing', /no entry `missing`; put there what `edgekeeper build` makes/],
  ['policy=/policy.json', /is `\/policy\.json`; allowed are `file:PATH` and `store:NAME`/],
  ['listener=both', /`listener` is `both`; allowed are `proxy` and `api`/],
]) {
  test(`the variable ${variable} is 503, with what is allowed in the log`, async () => {
    const { from, remove } = application(policyFor({ upstream: upstream.origin }));
    await withGateway({ from, variables: [variable] }, (gateway) => refuses(gateway, reason));
    remove();
  });
}
