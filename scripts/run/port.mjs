import net from 'node:net';

/**
 * Asks the system for a TCP port that is free on 127.0.0.1 now.
 * @returns {Promise<number>}
 */
export function freePort() {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
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
