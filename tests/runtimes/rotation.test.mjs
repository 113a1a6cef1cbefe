import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';

import { send } from './client.mjs';
import { rule, startSite, withToken } from './site.mjs';
import { jwksPath } from './token.mjs';
import { startWhoamiStandIn } from './whoami-stand-in.mjs';

// Keys that change every few seconds, under load. Whoever checks the tokens is no part of the gateway: it has the published
// keys and a library, and asks for the keys again when `Cache-Control` says that its copy is too old, never before.

/** For how many seconds. EDGEKEEPER_ROTATION_SECONDS=120 is what a release is tested with. */
const seconds = Number(process.env.EDGEKEEPER_ROTATION_SECONDS ?? 30);

/** Seconds after which the next key signs: the shortest there is. A token lives as long. */
const rotation = 5;

/**
 * Seconds that the verifier's clock may be off, as docs/keys.md asks for: a token of five seconds that is given out a second time
 * may have one left, and less when it comes.
 */
const clockTolerance = 2;

/** How many copies of the keys there are, each fetched at another time. */
const copies = 4;

/** How many requests are on their way at any time. */
const clients = 6;

let standIn;
let upstream;
let site;

before(async () => {
  standIn = await startWhoamiStandIn();
  upstream = await startVerifyingUpstream();
  site = await startSite({
    rules: [rule('page', withToken)],
    whoami: standIn.origin,
    idToken: { ttl: `${rotation}s` },
    edge: { keys: { development: true, rotation: `${rotation}s` }, upstreams: { 'http://web:3000': upstream.origin } },
  });
});
after(async () => {
  await site?.stop();
  await upstream?.stop();
  await standIn?.stop();
});

/**
 * One verifier's copy of the keys. It is used as long as RFC 9111 (4.2.3) lets a cache use it: its age counts from when it was
 * asked for.
 */
class Copy {
  #fetching;
  #until = 0;

  /** @param {string} origin the listener that is asked */
  constructor(origin) {
    this.origin = origin;
  }

  async keys() {
    if (performance.now() >= this.#until || this.#fetching === undefined) {
      this.#until = Infinity;
      this.#fetching = this.#fetch();
    }
    return this.#fetching;
  }

  async #fetch() {
    const asked = performance.now();
    const answer = await send(this.origin, `${this.origin}${jwksPath}`);
    assert.equal(answer.status, 200, answer.text);
    const [, age] = /^public, max-age=(\d+)$/.exec(answer.header('cache-control')) ?? [];
    assert.ok(age, `the keys may be kept: ${answer.header('cache-control')}`);
    this.#until = asked + Number(age) * 1000;
    return { resolve: createLocalJWKSet(answer.json()), maxAge: Number(age) };
  }
}

/** An upstream that lets nobody in whose token does not verify, and looks at each token again when it is about to end. */
async function startVerifyingUpstream() {
  const seen = { requests: 0, tokens: new Set(), kids: new Set(), maxAges: new Set(), failures: [] };
  const ends = [];
  let copiesOfKeys = [];

  async function verify(token, when, currentDate) {
    await Promise.all(copiesOfKeys.map(async (copy, number) => {
      try {
        const { resolve, maxAge } = await copy.keys();
        seen.maxAges.add(maxAge);
        const expected = { issuer: `${site.origin}/`, algorithms: ['EdDSA'], clockTolerance, currentDate };
        await jwtVerify(token, resolve, expected);
      } catch (error) {
        seen.failures.push(`${when}, copy ${number}: ${error.message} (kid ${decodeProtectedHeader(token).kid})`);
      }
    }));
  }

  async function arrived(token) {
    seen.requests += 1;
    await verify(token, 'when it came', new Date());
    if (seen.tokens.has(token)) return;
    seen.tokens.add(token);
    seen.kids.add(decodeProtectedHeader(token).kid);
    const last = new Date(decodeJwt(token).exp * 1000 - 1);
    ends.push(sleep(Math.max(0, last - Date.now())).then(() => verify(token, 'at its end', last)));
  }

  const server = http.createServer((request, response) => {
    const [, token] = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '') ?? [];
    const end = (status) => response.writeHead(status).end();
    if (token === undefined) return end(401);
    arrived(token).then(() => end(204), () => end(500));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    seen,
    /** Gives each copy its time; the listeners take turns. */
    async fetchCopies(origins) {
      copiesOfKeys = Array.from({ length: copies }, (_, number) => new Copy(origins[number % origins.length]));
      for (const copy of copiesOfKeys) {
        await copy.keys();
        await sleep(1000 / copies);
      }
    },
    ended: () => Promise.all(ends),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

test(`keys change every ${rotation} s for ${seconds} s under load: no token that a verifier cannot verify, from first to last`, async (context) => {
  await upstream.fetchCopies([site.origin, site.api]);
  const until = performance.now() + seconds * 1000;
  const refused = [];
  let person = 0;
  const client = async () => {
    while (performance.now() < until) {
      person += 1;
      // Some come again and get the token they had, some are new.
      const token = `ory_st_${person % 5 === 0 ? `new${person}` : `again${person % 40}`}`;
      const answer = await site.ask('http://page.test/', { headers: { 'x-session-token': token } });
      if (answer.status !== 204) refused.push(`${answer.status} ${answer.text}`);
      await sleep(10);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await upstream.ended();

  const { requests, tokens, kids, maxAges, failures } = upstream.seen;
  context.diagnostic(`${requests} requests, ${tokens.size} tokens of ${kids.size} keys, each verified by ${copies} copies of max-age ${[...maxAges]} s, twice at least; not verified: ${failures.length}`);
  assert.deepEqual(refused.slice(0, 5), [], 'every request passes');
  assert.deepEqual(failures.slice(0, 5), []);
  assert.ok(kids.size >= Math.floor(seconds / rotation) - 1, `${kids.size} keys signed`);
  assert.ok(tokens.size > seconds, `${tokens.size} tokens`);
});
