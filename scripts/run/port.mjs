import { randomInt } from 'node:crypto';
import net from 'node:net';

// Below the ports that a system gives to outgoing connections (Linux: from 32768 on): one of those would be taken now and
// then between being found free and being listened on.
const lowest = 20_000;
const highest = 32_000;

/**
 * A TCP port that is free on loopback now, chosen at random so that two processes hardly choose the same.
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port was found between ${lowest} and ${highest}`);
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
