// What scripts/dev runs once everything is installed and built.
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

import { freePort, isFree } from '../run/port.mjs';
import { written } from './configure.mjs';
import { startDemo } from './stack.mjs';

const stopped = new Promise((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => resolve(null));
});

const [runtime] = process.argv.slice(2);
const free = async (port) => ((await isFree(port)) ? port : freePort());
const port = await free(written.port);
const apiPort = await free(written.apiPort);
// Another scripts/dev may be running from this checkout: it keeps the folder of the usual port.
const folder = fileURLToPath(new URL(port === written.port ? '../../.dev' : `../../.dev/${port}`, import.meta.url));
let demo;
try {
  demo = await startDemo({ folder, port, apiPort, runtime });
} catch (error) {
  console.error(`scripts/dev: ${error.message}`);
  process.exit(1);
}

console.log(`
  ${demo.origin}/

  sign in as   ${demo.user.email}
  password     ${demo.user.password}
  runtime      ${runtime}

Try
  1. Open the URL, follow "Protected page", sign in: the page shows the token that the upstream received.
  2. curl -i ${demo.origin}/api/whoami
     A program without a session: 401 in JSON, no redirect.
  3. curl -i -X OPTIONS -H 'Origin: http://localhost:5173' -H 'Access-Control-Request-Method: POST' ${demo.origin}/api/whoami
     A preflight: answered at the edge, without session and upstream.
  4. curl ${demo.api}/.well-known/jwks.json
     The keys with which an upstream verifies the token.
  5. Add a rule to scripts/demo/access-rules.json and run the same command again.

The gateway's log: ${relative(process.cwd(), folder)}/gateway.log. Ctrl-C ends everything.
`);

const failure = await Promise.race([stopped, demo.ended]);
await demo.stop();
if (failure !== null) {
  console.error(`scripts/dev: ${failure}`);
  process.exit(1);
}
console.log('Stopped.');
process.exit(0);
