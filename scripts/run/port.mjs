import { randomInt } from 'node:crypto';
import net from 'node:net';

// Below the ports that a system gives to outgoing connections (Linux: from 32768 on): one of those would be taken now and
// then between being found free and being listened on. Each process has a lane of its own, and goes through it in order:
// what two tests at the same moment are about to listen on must not be the same.
const lowest = 20_000;
const lanes = 48;
const width = 250;

const lane = lowest + (process.pid % lanes) * width;
let next = randomInt(width);

/**
 * A TCP port that is free on loopback now. No other call gives the same one soon.
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (let tries = 0; tries < width; tries++) {
    const port = lane + (next++ % width);
    if (await isFree(port)) return port;
  }
  throw new Error(`no port is free between ${lane} and ${lane + width}`);
}

/**
 * Whether nobody listens on a port, on either address that `localhost` stands for.
 * @param {number} port
 * @returns {Promise<boolean>}
 */
export async function isFree(port) {
  return (await canListen(port, '127.0.0.1')) && (await canListen(port, '::1'));
}

function canListen(port, host) {
  return new Promise((resolve) => {
    const probe = net.createServer();
    // A machine without IPv6 cannot have the port taken there.
    probe.once('error', (error) => resolve(error.code === 'EADDRNOTAVAIL' || error.code === 'EAFNOSUPPORT'));
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}
