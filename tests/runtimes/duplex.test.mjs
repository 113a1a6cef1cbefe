import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { answerTo, openRequest } from './client.mjs';
import { residentBytes } from './memory.mjs';
import { open, rule, startSite } from './site.mjs';

// A body is never held: it goes on while it comes in, both ways at once.

const MB = 1 << 20;
const most = 64;

let site;

before(async () => {
  site = await startSite({ rules: [rule('open', open)] });
});
after(() => site?.stop());

test('100 MB up and 100 MB down at the same time, in flat memory', async (t) => {
  // What the first large request sets up, buffers and the like, is there before it is measured.
  await echo(4);
  const before = residentBytes(site.gateway.pid);
  let highest = before;
  const { sent, received } = await echo(100, () => {
    highest = Math.max(highest, residentBytes(site.gateway.pid));
  });
  assert.equal(received, sent, 'what comes back is what was sent');
  const grown = (highest - before) / MB;
  t.diagnostic(`100 MB up and 100 MB down: the gateway's memory grew by ${grown.toFixed(1)} MB`);
  assert.ok(grown < most, `it grew by ${grown.toFixed(1)} MB`);
});

test('a client that reads slowly slows the upstream down, and nothing is piled up', async (t) => {
  const before = residentBytes(site.gateway.pid);
  const request = openRequest(site.origin, 'http://open.test/echo', { method: 'POST' });
  const answered = answerTo(request);
  const chunk = randomBytes(MB);
  request.write(chunk);
  const response = await answered;
  response.pause();
  let accepted = 1;
  for (; accepted < 100; accepted++) {
    if (request.write(chunk)) continue;
    const drained = await Promise.race([once(request, 'drain').then(() => true), new Promise((done) => setTimeout(done, 500, false))]);
    if (!drained) break;
  }
  const grown = (residentBytes(site.gateway.pid) - before) / MB;
  t.diagnostic(`with a client that does not read: ${accepted} MB were taken, memory grew by ${grown.toFixed(1)} MB`);
  assert.ok(accepted < 100, 'at some point nothing more is taken');
  assert.ok(grown < most, `it grew by ${grown.toFixed(1)} MB`);
  request.on('error', () => {});
  response.on('error', () => {});
  request.destroy();
});

/** Sends so many MB to an upstream that sends them back, reading while writing. Gives the hashes of both. */
async function echo(megabytes, look = () => {}) {
  const request = openRequest(site.origin, 'http://open.test/echo', { method: 'POST' });
  const answered = answerTo(request);
  const [up, down] = [createHash('sha256'), createHash('sha256')];
  const reading = (async () => {
    let bytes = 0;
    for await (const chunk of await answered) {
      down.update(chunk);
      bytes += chunk.length;
    }
    assert.equal(bytes, megabytes * MB);
  })();
  const writing = (async () => {
    for (let n = 0; n < megabytes; n++) {
      const chunk = randomBytes(MB);
      up.update(chunk);
      if (!request.write(chunk)) await once(request, 'drain');
      if (n % 5 === 4) look();
    }
    request.end();
  })();
  await Promise.all([reading, writing]);
  look();
  return { sent: up.digest('hex'), received: down.digest('hex') };
}
