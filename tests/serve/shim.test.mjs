import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, test } from 'node:test';

import { Miniflare } from 'miniflare';

import { compatibilityDate } from '../../scripts/gateway/workerd.mjs';

const shim = readFileSync(new URL('../../edge/cloudflare/shim.mjs', import.meta.url), 'utf8');

// Stands in for what wasm-bindgen generates: `panic` as a Rust panic leaves it, `trap` as any other trap does.
const wasm = `
  let policy = null, trapped = false, loads = 0;
  const state = { criticalError: false, instanceId: 1 };
  const restart = () => { policy = null; trapped = false; state.instanceId += 1; };
  const enter = () => { if (trapped) restart(); };
  export const __worker_init_state = () => { enter(); return state; };
  export const __wbg_reset_state = restart;
  export const load_policy = (text) => { enter(); policy = text; loads += 1; };
  export const fetch = async (request) => {
    enter();
    const { pathname } = new URL(request.url);
    if (pathname === '/panic') state.criticalError = true;
    if (pathname === '/panic' || pathname === '/trap') { trapped = true; throw new WebAssembly.RuntimeError('unreachable'); }
    return Response.json({ policy, loads });
  };
  export const scheduled = async (event, env) => { enter(); await env.KEYS.put('scheduled', policy ?? 'none'); };
`;

let worker;
beforeEach(() => {
  worker = new Miniflare({
    cf: false,
    modules: [
      { type: 'ESModule', path: 'shim.mjs', contents: shim },
      { type: 'ESModule', path: 'index.js', contents: wasm },
      { type: 'Text', path: 'policy.json', contents: 'the policy' },
    ],
    compatibilityDate,
    kvNamespaces: ['KEYS'],
    handleRuntimeStdio() {},
  });
});
afterEach(() => worker.dispose());

const ask = async (path) => worker.dispatchFetch(`http://localhost${path}`);

test('the policy is loaded once, before the first request', async () => {
  assert.deepEqual(await (await ask('/')).json(), { policy: 'the policy', loads: 1 });
  assert.deepEqual(await (await ask('/')).json(), { policy: 'the policy', loads: 1 });
});

for (const end of ['/panic', '/trap']) {
  test(`after ${end} the next request has an instance that knows the policy`, async () => {
    await assert.rejects(async () => {
      const response = await ask(end);
      if (response.status >= 500) throw new Error('the request that trapped fails');
    });
    assert.deepEqual(await (await ask('/')).json(), { policy: 'the policy', loads: 2 });
  });
}

test('a cron event meets the policy, too, and its work is waited for', async () => {
  const { outcome } = await (await worker.getWorker()).scheduled();
  assert.equal(outcome, 'ok');
  assert.equal(await (await worker.getKVNamespace('KEYS')).get('scheduled'), 'the policy');
});
