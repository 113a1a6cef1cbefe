import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';

const port = new URL('../../scripts/run/port.mjs', import.meta.url);

// Both would begin with the same lane, which their number decides.
const asking = `
  Object.defineProperty(process, 'pid', { value: 4711 });
  const { freePort } = await import(${JSON.stringify(port.href)});
  const ports = [];
  for (let count = 0; count < 300; count++) ports.push(await freePort());
  console.log(JSON.stringify(ports));
  process.stdin.resume();
`;

test('two processes that live at the same time are never given the same port', async () => {
  const processes = [1, 2].map(() => spawn(process.execPath, ['--input-type=module', '-e', asking], { stdio: ['pipe', 'pipe', 'inherit'] }));
  try {
    const given = await Promise.all(processes.map(async ({ stdout }) => JSON.parse((await once(stdout, 'data'))[0])));
    const [one, other] = given.map((ports) => new Set(ports));
    assert.ok(one.size > 200 && other.size > 200, `a lane has more ports: ${one.size}, ${other.size}`);
    assert.deepEqual([...one].filter((port) => other.has(port)), []);
  } finally {
    for (const process of processes) process.stdin.end();
  }
});

test('a process that needs no ports any more ends', async () => {
  const lines = [`const { freePort } = await import(${JSON.stringify(port.href)})`, 'await freePort()'];
  const asker = spawn(process.execPath, ['--input-type=module', '-e', lines.join(';')], { stdio: 'inherit' });
  assert.deepEqual(await once(asker, 'exit'), [0, null]);
});
