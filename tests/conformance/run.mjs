import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { listens } from '../../scripts/run/guarded.mjs';
import { runtime, startRuntime } from '../runtimes/runtime.mjs';
import { send } from './client.mjs';
import { outcomeOf } from './outcome.mjs';
import { choosePorts } from './ports.mjs';
import { readScenario, writeConfiguration } from './scenario.mjs';
import { startStandIns } from './stand-ins.mjs';
import { served } from './stand-ins/keys.mjs';
import { differenceOf, isEqualAt, judge } from './verdict.mjs';
import { levels } from './view.mjs';

/**
 * A case that was run.
 * @typedef {import('./verdict.mjs').Verdict & { name: string, request: import('./scenario.mjs').Request,
 *   equal: Record<import('./view.mjs').Level, boolean> }} Result
 */

/**
 * @typedef {object} ScenarioRun
 * @property {Result[]} results
 * @property {string} [refused] why the gateway did not start, in which case no case is equal
 * @property {string} log the end of what the gateway wrote
 */

/**
 * Starts a gateway, and resolves when it answers.
 * @typedef {(options: StartOptions) => Promise<Started>} Start
 *
 * @typedef {{ folder: string, config: string, edge: string, port: number, apiPort: number, env: Record<string, string>,
 *   rules: number }} StartOptions
 *
 * @typedef {object} Started
 * @property {() => string} log
 * @property {() => Promise<void>} stop
 * @property {Promise<string>} ended
 * @property {boolean} [settles] what it remembers of a request counts only a moment later
 */

/** How long the proxy may be behind the API. */
const secondsToListen = 30;

/** What somebody wants to see of the log when a case is wrong. */
const linesOfLog = 15;

/** In milliseconds, between two requests to a gateway that needs it. */
const leastSettle = 10;

/** @type {Start} */
const strictly = (options) => startRuntime({ ...options, strict: true });

/**
 * Runs a scenario on the runtime under test: the stand-ins, the gateway in strict mode with the scenario's configuration,
 * one request after the other.
 * @param {string} name
 * @param {object} [options]
 * @param {(caseName: string) => boolean} [options.isWanted]
 * @param {import('./view.mjs').Level} [options.level] at which cases must be equal
 * @param {Start} [options.start] another gateway
 * @returns {Promise<ScenarioRun>}
 */
export async function runScenario(name, { isWanted = () => true, level = 'core', start = strictly } = {}) {
  const { requests, env, rules, golden } = readScenario(name);
  const wanted = requests.filter(({ id }) => isWanted(`${name}/${id}`));
  if (wanted.length === 0) return { results: [], log: '' };

  const result = (request, outcome) => {
    const caseName = `${name}/${request.id}`;
    const expected = golden.get(request.id);
    const difference = start === strictly ? differenceOf(caseName, runtime) : undefined;
    const equal = Object.fromEntries(levels.map((each) => [each, isEqualAt(each, expected, outcome)]));
    return { name: caseName, request, equal, ...judge(expected, outcome, difference, level) };
  };
  const folder = mkdtempSync(join(tmpdir(), 'edgekeeper-conformance-'));
  const standIns = await startStandIns();
  let gateway;
  try {
    const ports = await choosePorts(standIns.ports);
    const files = writeConfiguration(name, folder, ports.here);
    try {
      gateway = await start({ folder, ...files, port: ports.proxy, apiPort: ports.api, env, rules });
      // On some runtimes each listener is a process, and the API's may be there first.
      await listens(gateway, { host: '127.0.0.1', port: ports.proxy }, secondsToListen);
    } catch (error) {
      const none = { error: 'the gateway did not start' };
      return { results: wanted.map((request) => result(request, none)), refused: error.message, log: '' };
    }
    const results = [];
    for (const request of wanted) {
      const outcome = await runRequest(JSON.parse(ports.here(JSON.stringify(request))), { ports, standIns });
      results.push(result(request, ports.there(outcome)));
      if (gateway.settles) await sleep(leastSettle + (request.settle ?? 0) * 1000);
    }
    return { results, log: gateway.log().trimEnd().split('\n').slice(-linesOfLog).join('\n') };
  } finally {
    await gateway?.stop();
    await standIns.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Which listener a request is for, where it is not the proxy. */
const listeners = { decision: 'api', api: 'api' };

async function runRequest(request, { ports, standIns }) {
  standIns.take();
  let answer;
  try {
    answer = await send(ports[listeners[request.via] ?? 'proxy'], request);
  } catch (error) {
    return { error: error.message };
  }
  return outcomeOf(answer, standIns.take(), () => keysOf(ports.api), request.via);
}

/** The keys that the gateway publishes, and those that it may have got from the key server. */
async function keysOf(port) {
  const answer = await send(port, { method: 'GET', target: '/.well-known/jwks.json', host: `127.0.0.1:${port}` });
  if (answer.status !== 200) throw new Error(`the gateway's keys are not there: ${answer.status}`);
  return { keys: [...JSON.parse(answer.body.toString()).keys, ...served] };
}
