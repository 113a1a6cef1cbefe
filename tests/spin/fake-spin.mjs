#!/usr/bin/env node
// Takes the place of `spin`: writes down how it was called, then listens where it was told to.
import { appendFileSync } from 'node:fs';
import http from 'node:http';

const args = process.argv.slice(2);
const secret = process.env.SPIN_VARIABLE_KEYS_SECRET;
appendFileSync(process.env.RECORD, `${JSON.stringify({ args, secret, cwd: process.cwd() })}\n`);
if (process.env.REFUSE) {
  console.error(process.env.REFUSE);
  process.exit(3);
}
const [host, port] = args[args.indexOf('--listen') + 1].split(/:(?=\d+$)/);
http.createServer((request, response) => response.end('fake')).listen(Number(port), host);
