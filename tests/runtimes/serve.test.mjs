import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';

import { isFree } from '../../scripts/run/port.mjs';
import { answerTo, openRequest } from './client.mjs';
import { can } from './runtime.mjs';
import { open, rule, startSite } from './site.mjs';
import { openWebSocket } from './websocket.mjs';

// scripts/serve as a process: other programs start it, wait for it and end it.

test('it is ready within five seconds, and gone within one of SIGTERM, whatever is still open', async (t) => {
  const started = performance.now();
  const site = await startSite({ rules: [rule('open', open)] });
  const ready = performance.now() - started;
  try {
    const request = openRequest(site.origin, 'http://open.test/drip');
    request.on('error', () => {}).end();
    const response = await answerTo(request);
    response.on('error', () => {});
    await once(response, 'data');
    const socket = await openWebSocket(site.origin, 'http://open.test/ws', {});
    if (can.webSockets) assert.equal(await socket.echo('open'), 'open');

    const told = performance.now();
    await site.gateway.stop();
    const gone = performance.now() - told;
    t.diagnostic(`ready after ${ready.toFixed(0)} ms, gone ${gone.toFixed(0)} ms after SIGTERM`);
    assert.match(await site.gateway.ended, /ended with status (0|143)$/, '143 is how a shell says SIGTERM');
    assert.ok(ready < 5000, `it was ready after ${ready.toFixed(0)} ms`);
    assert.ok(gone < 1000, `it was gone after ${gone.toFixed(0)} ms`);
    for (const origin of [site.origin, site.api]) assert.ok(await isFree(Number(new URL(origin).port)), `${origin} is free again`);
    socket.close?.();
  } finally {
    await site.stop();
  }
});

test('a configuration that is refused ends it, with the place and what is allowed', async () => {
  const wrong = rule('page', { authenticators: [{ handler: 'cookie_sesion' }] });
  await assert.rejects(startSite({ rules: [wrong] }), ({ message }) => {
    assert.match(message, /ended with status 1/);
    assert.match(message, /access-rules\.json:\d+:\d+: error\[unknown-handler\]: .*cookie_sesion/);
    assert.match(message, /cookie_session/);
    return true;
  });
});
