import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';

import { openRequest } from './client.mjs';

/**
 * Asks for a WebSocket (RFC 6455), as much of one as an echo needs: one text message at a time, in one frame each way.
 * @param {string} origin
 * @param {string} url
 * @param {Record<string, string>} headers
 * @returns {Promise<{ status: number, echo: (text: string) => Promise<string>, close: () => void }>} status 101 when it is open
 */
export async function openWebSocket(origin, url, headers) {
  const key = randomBytes(16).toString('base64');
  const request = openRequest(origin, url, {
    headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key, ...headers },
  });
  request.end();
  const [response, socket] = await new Promise((resolve, reject) => {
    request.once('upgrade', (...all) => resolve(all));
    request.once('response', (answer) => resolve([answer.resume()]));
    request.once('error', reject);
  });
  if (socket === undefined) return { status: response.statusCode };
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  if (response.headers['sec-websocket-accept'] !== accept) throw new Error('the server did not take the key');
  return {
    status: 101,
    async echo(text) {
      socket.write(frame(Buffer.from(text)));
      let bytes = Buffer.alloc(0);
      for (;;) {
        const [chunk] = await once(socket, 'data');
        bytes = Buffer.concat([bytes, chunk]);
        const payload = whole(bytes);
        if (payload) return payload.toString();
      }
    },
    close: () => socket.destroy(),
  };
}

/** A masked text frame. */
function frame(payload) {
  const mask = randomBytes(4);
  const head = [0x81, 0xff, ...bigEndian(payload.length)];
  return Buffer.concat([Buffer.from(head), mask, Buffer.from(payload.map((byte, n) => byte ^ mask[n % 4]))]);
}

function bigEndian(length) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(length));
  return bytes;
}

/** The payload of an unmasked frame once it is there. */
function whole(bytes) {
  if (bytes.length < 2) return undefined;
  const short = bytes[1];
  const at = 2 + ({ 126: 2, 127: 8 }[short] ?? 0);
  if (bytes.length < at) return undefined;
  const length = at === 2 ? short : Number(at === 4 ? bytes.readUInt16BE(2) : bytes.readBigUInt64BE(2));
  return bytes.length < at + length ? undefined : bytes.subarray(at, at + length);
}
