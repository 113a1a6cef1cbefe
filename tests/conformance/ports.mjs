import { freePort } from '../../scripts/run/port.mjs';

// The scenarios name fixed ports, those that Oathkeeper ran with. A run has ports of its own, so that several can run at
// once: what is written for the gateway is translated there, what is compared is translated back.

/** Where the scenarios look for the stand-ins. */
const standInPorts = { upstream: 38001, whoami: 38002, introspection: 38003, remote: 38004, hydrator: 38005, keys: 38006 };

/** Nobody listens there, in the scenarios and here: 9 is discard, which no system offers any more. */
const closed = { there: 38019, here: 9 };

const proxy = 38020;
const api = 38021;

/**
 * The ports of one run.
 * @typedef {object} Ports
 * @property {number} proxy of the gateway's proxy listener
 * @property {number} api
 * @property {(text: string) => string} here a scenario's text with this run's ports
 * @property {<T>(value: T) => T} there a JSON value of this run with the scenario's ports
 */

/**
 * @param {Record<keyof typeof standInPorts, number>} standIns where they listen in this run
 * @returns {Promise<Ports>}
 */
export async function choosePorts(standIns) {
  const ports = { proxy: await freePort(), api: await freePort() };
  const pairs = Object.entries(standInPorts).map(([name, there]) => [there, standIns[name]]);
  pairs.push([proxy, ports.proxy], [api, ports.api], [closed.there, closed.here]);
  const forth = new Map(pairs.map((pair) => pair.map(String)));
  const back = new Map(pairs.map(([there, here]) => [String(here), String(there)]));
  const translateBack = (text) =>
    text.replace(/(127\.0\.0\.1|localhost)(:|%3A)(\d+)\b/gi, (all, host, colon, port) =>
      back.has(port) ? `${host}${colon}${back.get(port)}` : all,
    );
  return {
    ...ports,
    here: (text) => text.replace(/\b380\d\d\b/g, (port) => forth.get(port) ?? port),
    there: (value) => mapTexts(value, translateBack),
  };
}

function mapTexts(value, change) {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((each) => mapTexts(each, change));
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, mapTexts(each, change)]));
}
