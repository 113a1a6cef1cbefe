// The Worker's entry: hands requests and cron events to the Wasm, and gives the Wasm its policy.
// scripts/build bundles it with what wasm-bindgen generates (index.js) into build/cloudflare/index.js.
import * as gateway from './index.js';
import policy from './policy.json';

// `instanceId` counts Wasm instances: it grows whenever one starts.
const state = gateway.__worker_init_state();
let instanceWithPolicy;

/**
 * Makes sure that a live Wasm instance holds the policy.
 *
 * A trap ends an instance, and with it the policy. After a panic `criticalError` is set. After any other trap (memory,
 * stack) wasm-bindgen itself starts the next instance on the first call into it: the call here is that one, so that no
 * request meets an instance that knows no rules.
 */
function ensureInstance() {
  if (state.criticalError) {
    state.criticalError = false;
    gateway.__wbg_reset_state();
  }
  gateway.__worker_init_state();
  if (state.instanceId !== instanceWithPolicy) {
    gateway.load_policy(policy);
    instanceWithPolicy = state.instanceId;
  }
}

// At start-up, outside any request: a policy that cannot be read fails the deploy, not the first visitor.
ensureInstance();

export default {
  fetch(request, env, context) {
    ensureInstance();
    return gateway.fetch(request, env, context);
  },
  scheduled(event, env, context) {
    ensureInstance();
    return gateway.scheduled(event, env, context);
  },
};
