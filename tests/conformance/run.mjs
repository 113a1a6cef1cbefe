import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { listens } from '../../scripts/run/guarded.mjs';
import { runtime, startRuntime } from '../runtimes/runtime.mjs';
import { send } from './client.mjs';
import { outcomeOf } from './outcome.mjs';
import { choosePorts } from './ports.mjs';
import { readScenario, writeConfiguration } from './scenario.mjs';
import { startStandIns } from './stand-ins.mjs';
import { differenceOf, judge } from './verdict.mjs';

/** What cases ask for that the gateway does not have: the decision API, and Oathkeeper's list of rules. */
const notHere = new Set(['decision', 'api']);

/**
 * A case that was run.
 * @typedef {import('./verdict.mjs').Verdict & { name: string, request: import('./scenario.mjs').Request }} Result
 */

/**
 * @typedef {object} ScenarioRun
 * @property {Result[]} results
 * @property {number} skipped cases for a listener that is not here
 * @property {string} log the end of what the gateway wrote
 */

/** How long the proxy may be behind the API. */
const secondsToListen = 30;

/** What somebody wants to see of the log when a case is wrong. */
const linesOfLog = 15;

/**
 * Runs a scenario on the runtime under test: the stand-ins, the gateway in strict mode with the scenario's configuration,
 * one request after the other.
 * @param {string} name
 * @param {(caseName: string) => boolean} [isWanted]
 * @returns {Promise<ScenarioRun>}
 */
export async function runScenario(name, isWanted = () => true) {
  const scenario = readScenario(name);
  const wanted = scenario.requests.filter(({ id }) => isWanted(`${name}/${id}`));
  const requests = wanted.filter(isHere);
  const run = requests.length === 0 ? nothing : await runRequests(scenario, requests);
  return { ...run, skipped: wanted.length - requests.length };
}

/**
 * The run of a scenario of which nothing can be run, because all its cases are for a listener that is not here.
 * @param {string} name
 * @returns {ScenarioRun | undefined} `undefined` when something can
 */
export function nothingToRun(name) {
  const { requests } = readScenario(name);
  return requests.some(isHere) ? undefined : { ...nothing, skipped: requests.length };
}

const nothing = { results: [], log: '' };

function isHere({ via }) {
  return !notHere.has(via);
}

async function runRequests({ name, golden }, requests) {
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-conformance-'));
  const standIns = await startStandIns();
  let gateway;
  try {
    const ports = await choosePorts(standIns.ports);
    const files = writeConfiguration(name, folder, ports.here);
    gateway = await startRuntime({ folder, ...files, port: ports.proxy, apiPort: ports.api, strict: true });
    // On some runtimes each listener is a process, and the API's may be there first.
    await listens(gateway, { host: '127.0.0.1', port: ports.proxy }, secondsToListen);
    const results = [];
    for (const request of requests) {
      const outcome = await runRequest(JSON.parse(ports.here(JSON.stringify(request))), { ports, standIns });
      const caseName = `${name}/${request.id}`;
      const verdict = judge(golden.get(request.id), ports.there(outcome), differenceOf(caseName, runtime));
      results.push({ name: caseName, request, ...verdict });
    }
    return { results, log: gateway.log().trimEnd().split('\n').slice(-linesOfLog).join('\n') };
  } finally {
    await gateway?.stop();
    await standIns.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runRequest(request, { ports, standIns }) {
  standIns.takeUpstream();
  let answer;
  try {
    answer = await send(ports.proxy, request);
  } catch (error) {
    return { error: error.message };
  }
  return outcomeOf(answer, standIns.takeUpstream(), () => fetchKeys(ports.api));
}

async function fetchKeys(port) {
  const answer = await send(port, { method: 'GET', target: '/.well-known/jwks.json', host: `127.0.0.1:${port}` });
  if (answer.status !== 200) throw new Error(`the gateway's keys are not there: ${answer.status}`);
  return JSON.parse(answer.body.toString());
}
