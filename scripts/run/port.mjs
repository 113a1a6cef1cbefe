import { once } from 'node:events';
import net from 'node:net';

// Below the ports that a system gives to outgoing connections (Linux: from 32768 on): one of those would be taken now and
// then between being found free and being listened on. Each process has a lane of its own, which it holds by listening on
// its first port as long as it lives, and goes through the others in order: what two processes at the same moment are
// about to listen on cannot be the same.
const lowest = 20_000;
const lanes = 48;
const width = 250;

/** The first port of this process' lane, once it has one. */
let lane;
let given = 0;

/**
 * A TCP port that is free on loopback now. No other call gives the same one soon, in no other process either.
 * @returns {Promise<number>}
 */
export async function freePort() {
  lane ??= holdLane();
  const first = await lane;
  for (let tries = 1; tries < width; tries++) {
    const port = first + 1 + (given++ % (width - 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no port is free between ${first} and ${first + width}`);
}

async function holdLane() {
  for (let tries = 0; tries < lanes; tries++) {
    const first = lowest + ((process.pid + tries) % lanes) * width;
    const holder = net.createServer().unref();
    const listening = once(holder, 'listening');
    holder.listen(first, '127.0.0.1');
    try {
      await listening;
      return first;
    } catch (error) {
      if (error.code !== 'EADDRINUSE') throw error;
    }
  }
  throw new Error(`${lanes} processes hold ports from ${lowest} on, as many as can`);
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
