import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bindPreservedHosts } from '../../scripts/gateway/preserve-host.mjs';

const bind = (...upstreams) => {
  const rules = upstreams.map((upstream, index) => ({ id: `rule-${index}`, upstream }));
  const bound = bindPreservedHosts(JSON.stringify({ format: 2, rules }));
  return { ...bound, rules: JSON.parse(bound.policy).rules };
};

test('an upstream that wants the client\'s Host gets a binding to its address', () => {
  const { rules, bindings } = bind({ url: 'http://127.0.0.1:4433/base', preserve_host: true });
  assert.deepEqual(bindings, { [rules[0].upstream.binding]: { external: { address: '127.0.0.1:4433', http: {} } } });
  assert.equal(rules[0].upstream.url, 'http://127.0.0.1:4433/base');
});

test('one address has one binding, port 80 unless the URL names another', () => {
  const { rules, bindings } = bind(
    { url: 'http://a.test', preserve_host: true },
    { url: 'http://a.test:80/x', preserve_host: true },
    { url: 'http://[::1]:81', preserve_host: true },
  );
  const [first, second, third] = rules.map((rule) => rule.upstream.binding);
  assert.equal(first, second);
  assert.deepEqual([bindings[first], bindings[third]].map((binding) => binding.external.address), ['a.test:80', '[::1]:81']);
});

test('other upstreams are left as they are', () => {
  const kept = [{ url: 'http://a.test' }, { url: 'http://b.test', preserve_host: true, binding: 'MINE' }];
  const { rules, bindings } = bind(...kept, undefined);
  assert.deepEqual(rules.map((rule) => rule.upstream), [...kept, undefined]);
  assert.deepEqual(bindings, {});
});

test('an https upstream that wants it is reported', () => {
  const { unbound, bindings } = bind({ url: 'https://a.test', preserve_host: true });
  assert.deepEqual(unbound, ['rule-0']);
  assert.deepEqual(bindings, {});
});
