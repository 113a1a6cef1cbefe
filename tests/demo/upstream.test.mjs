import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';

import { flowPage } from '../../scripts/demo/flow-page.mjs';
import { startUpstream } from '../../scripts/demo/upstream.mjs';

// The demo upstream alone: other tests read what the gateway sent from it, so it must show it truly.

let kratos;
let upstream;

before(async () => {
  kratos = http.createServer((request, response) => {
    response.writeHead(410, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error: { reason: 'expired <script>' } }));
  });
  await new Promise((resolve) => kratos.listen(0, '127.0.0.1', resolve));
  upstream = await startUpstream({ kratosPublic: `http://127.0.0.1:${kratos.address().port}` });
});
after(async () => {
  await upstream?.stop();
  kratos?.close();
});

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = `${part({ alg: 'EdDSA', kid: 'k' })}.${part({ sub: '<img src=x>' })}.c2ln`;

function get(path, headers = {}) {
  return fetch(upstream.origin + path, { headers, redirect: 'manual' });
}

test('every credential is shown by its length alone, and the JWT decoded', async () => {
  const secrets = { cookie: 'ory_kratos_session=secret', 'x-session-token': 'ory_st_secret', authorization: `Bearer ${jwt}` };
  for (const path of ['/api/whoami', '/protected']) {
    const text = await (await get(path, secrets)).text();
    assert.ok(!text.includes('secret') && !text.includes(jwt), `${path} shows a credential`);
  }
  const shown = await (await get('/api/whoami', secrets)).json();
  assert.deepEqual(shown.jwt, { header: { alg: 'EdDSA', kid: 'k' }, claims: { sub: '<img src=x>' } });
});

test('an Authorization header that is no JWT is not shown either', async () => {
  for (const value of ['Bearer secret', 'Basic secret', `Bearer ${part('x')}.!.c2ln`, 'Bearer e30.eyI.secret']) {
    const shown = await (await get('/api/whoami', { authorization: value })).json();
    assert.equal(shown.jwt, null, value);
    assert.ok(!JSON.stringify(shown).includes('secret'), value);
  }
});

test('a header sent twice is shown twice', async () => {
  const shown = await new Promise((resolve, reject) => {
    const request = http.get(`${upstream.origin}/api/whoami`, { headers: { 'X-Twice': ['a', 'b'] } }, async (response) => {
      resolve(JSON.parse(Buffer.concat(await response.toArray()).toString()));
    });
    request.on('error', reject);
  });
  assert.deepEqual(shown.headers.filter(([name]) => name === 'X-Twice'), [['X-Twice', 'a'], ['X-Twice', 'b']]);
});

test('nothing that comes from outside becomes markup', async () => {
  const evil = '<script>alert(1)</script>';
  const pages = [
    get('/protected', { authorization: `Bearer ${jwt}`, 'x-user-id': evil, 'user-agent': `"${evil}'` }),
    get(`/protected?q=${evil}`),
    get('/%3Cscript%3Ealert(1)'),
    get('/login?flow=x'),
    get(`/error?id=${evil}`),
  ];
  for (const response of await Promise.all(pages)) {
    const text = await response.text();
    assert.ok(!text.includes('<script>') && !text.includes('<img src=x'), response.url);
    assert.match(response.headers.get('content-security-policy'), /default-src 'none'/);
  }
  const node = { group: 'password', messages: [{ type: 'error', text: evil }], meta: { label: { text: evil } } };
  const flow = {
    return_to: `"${evil}`,
    ui: {
      action: `"${evil}`,
      method: 'POST',
      messages: [{ type: 'info', text: evil }],
      nodes: ['hidden', 'text', 'submit'].map((type) => ({ ...node, attributes: { node_type: 'input', type, name: `"${evil}`, value: `"${evil}` } })),
    },
  };
  assert.ok(!flowPage('login', flow).text.includes('<script>'));
});

test('a form without a flow starts one and keeps what it was asked for', async () => {
  const response = await get('/login?return_to=http%3A%2F%2Flocalhost%2Fa&aal=aal2');
  assert.equal(response.status, 303);
  assert.equal(response.headers.get('location'), '/self-service/login/browser?return_to=http%3A%2F%2Flocalhost%2Fa&aal=aal2');
});

test('a form whose flow is gone offers a new one and keeps the status', async () => {
  const response = await get('/login?flow=x');
  assert.equal(response.status, 410);
  assert.match(await response.text(), /href="\/self-service\/login\/browser">Start again/);
});

test('a body comes back as it was', async () => {
  const body = Buffer.from(Array.from({ length: 300_000 }, (_, n) => n % 251));
  const response = await fetch(`${upstream.origin}/api/echo`, { method: 'POST', body, headers: { 'content-type': 'application/x-test' } });
  assert.equal(response.headers.get('content-type'), 'application/x-test');
  assert.ok(body.equals(Buffer.from(await response.arrayBuffer())));
});

const frames = [
  ['an unmasked frame', Buffer.from([0x81, 0x01, 0x61]), 1002],
  ['a frame over a mebibyte', Buffer.from([0x82, 0xff, 0, 0, 0, 0, 0, 0x20, 0, 0, 1, 2, 3, 4]), 1009],
  ['an opcode that does not exist', Buffer.from([0x83, 0x80, 1, 2, 3, 4]), 1002],
];
for (const [what, bytes, code] of frames) {
  test(`${what} closes the WebSocket with ${code}`, async () => {
    const socket = await upgrade();
    socket.write(bytes);
    const answer = Buffer.concat(await socket.toArray());
    assert.deepEqual([...answer], [0x88, 2, code >> 8, code & 0xff]);
  });
}

test('a frame that comes byte by byte is echoed once it is whole', async () => {
  const socket = await upgrade();
  socket.setNoDelay(true);
  for (const byte of [0x81, 0x82, 1, 2, 3, 4, 0x61 ^ 1, 0x62 ^ 2, 0x88, 0x80, 0, 0, 0, 0]) socket.write(Buffer.from([byte]));
  assert.deepEqual([...Buffer.concat(await socket.toArray())], [0x81, 2, 0x61, 0x62, 0x88, 0]);
});

function upgrade() {
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    };
    const request = http.get(`${upstream.origin}/ws`, { headers });
    request.on('error', reject);
    request.on('upgrade', (response, socket) => {
      // The key and the answer of RFC 6455, section 1.3.
      assert.equal(response.headers['sec-websocket-accept'], 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
      resolve(socket);
    });
  });
}
