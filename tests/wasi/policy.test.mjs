import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { startUpstream } from '../runtimes/upstream.mjs';
import { logged, policyFor, reasons, startGateway } from './gateway.mjs';

// Without a policy nothing passes, and the log says why.

let upstream;

before(async () => (upstream = await startUpstream()));
after(() => upstream?.stop());

async function refusesEverything(gateway, reason) {
  for (const method of ['GET', 'POST', 'HEAD']) {
    const answer = await gateway.ask('http://open.test/', { method });
    assert.equal(answer.status, 503);
    assert.equal(answer.header('content-type'), 'application/json');
    assert.equal(answer.text === '', method === 'HEAD');
  }
  assert.deepEqual(upstream.take(), []);
  await logged(gateway, /("msg":"policy"[^]*){3}/);
  const said = reasons(gateway, 'policy');
  assert.equal(said.length, 3, 'one line for each request');
  for (const each of said) assert.match(each, reason);
}

for (const [name, policy, reason] of [
  ['that is missing', undefined, /\/policy\/policy\.json cannot be read: .*edgekeeper build.*--dir FOLDER::\/policy/],
  ['that is empty', '', /`\/policy\/policy\.json`: the policy document cannot be used/],
  ['that is no JSON', '{"format":2,', /cannot be used: .*line 1/],
  ['of another format', '{"format":99,"errors":[],"rules":[]}', /cannot be used: .*format/],
  ['that is no text', Buffer.from([0xff, 0xfe]), /cannot be read/],
]) {
  test(`a policy ${name} is 503, with the reason in the log`, async () => {
    const gateway = await startGateway({ policy });
    try {
      await refusesEverything(gateway, reason);
    } finally {
      await gateway.stop();
    }
  });
}

test('a policy that comes late is taken up without a restart', async () => {
  // The component's view of /policy is a folder inside the state folder here, so that the test can write to it.
  const state = mkdtempSync(join(tmpdir(), 'edgekeeper-tests-wasi-late-'));
  const gateway = await startGateway({ state, environment: { POLICY: '/state/late/policy.json' } });
  try {
    assert.equal((await gateway.ask('http://open.test/')).status, 503);
    await logged(gateway, /\/state\/late\/policy\.json/);
    mkdirSync(join(state, 'store/late'));
    writeFileSync(join(state, 'store/late/policy.json'), policyFor({ upstream: upstream.origin }));
    assert.equal((await gateway.ask('http://open.test/')).status, 200);
  } finally {
    await gateway.stop();
    rmSync(state, { recursive: true, force: true });
  }
});
