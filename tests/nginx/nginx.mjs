import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { listens } from '../../scripts/run/guarded.mjs';
import { freePort } from '../../scripts/run/port.mjs';
import { start } from '../../scripts/run/process.mjs';

const installer = fileURLToPath(new URL('../../scripts/install/nginx', import.meta.url));
const document = fileURLToPath(new URL('../../docs/decisions-api.md', import.meta.url));

/** How long nginx may take to listen. */
const startSeconds = 20;

/**
 * nginx as docs/decisions-api.md configures it, but for its addresses.
 * @param {object} options
 * @param {string} options.api origin of the gateway's API
 * @param {string} options.upstream origin of the service
 * @param {string} [options.secret]
 * @returns {Promise<{ origin: string, log: () => string, stop: () => Promise<void> }>}
 */
export async function startNginx({ api, upstream, secret = '' }) {
  const { stdout } = await promisify(execFile)(installer, { maxBuffer: 1 << 26 });
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-nginx-'));
  const port = await freePort();
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'nginx.conf'), configuration(documented({ port, api, upstream, secret })));
  const logFile = join(folder, 'nginx.log');
  const nginx = start(stdout.trim(), ['-p', folder, '-c', join(folder, 'nginx.conf'), '-e', 'stderr'], { name: 'nginx', logFile });
  const stop = async () => {
    await nginx.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await listens(nginx, { host: '127.0.0.1', port }, startSeconds);
  } catch (error) {
    await stop();
    throw error;
  }
  return { origin: `http://127.0.0.1:${port}`, log: () => readFileSync(logFile, 'utf8'), stop };
}

/** The documented snippet. Whatever is put in place of an address must be there. */
function documented({ port, api, upstream, secret }) {
  const [, snippet] = /```nginx\n([\s\S]*?)```/.exec(readFileSync(document, 'utf8'));
  const places = {
    'server 127.0.0.1:4456;': `server ${new URL(api).host};`,
    'server 127.0.0.1:3000;': `server ${new URL(upstream).host};`,
    'listen 80;': `listen 127.0.0.1:${port};`,
    'X-Edgekeeper-Secret "";': `X-Edgekeeper-Secret "${secret}";`,
  };
  return Object.entries(places).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`docs/decisions-api.md: the nginx configuration has no \`${from}\``);
    return text.replaceAll(from, to);
  }, snippet);
}

function configuration(servers) {
  // Whoever starts it as root would else have a worker that may not write below the folder.
  const user = process.getuid() === 0 ? 'user root;\n' : '';
  return `${user}daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr info;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
${servers}
}
`;
}
