import { createHash } from 'node:crypto';

const text = 0x1;
const binary = 0x2;
const continuation = 0x0;
const close = 0x8;
const ping = 0x9;
const pong = 0xa;

/** Longest payload that is echoed, in bytes. */
const limit = 1 << 20;

/**
 * Takes an HTTP upgrade and sends every message back (RFC 6455, as much of it as an echo needs).
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:stream').Duplex} socket
 * @param {Buffer} head what came with the request already
 */
export function echoWebSocket(request, socket, head) {
  socket.on('error', () => socket.destroy());
  const key = request.headers['sec-websocket-key'];
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || !key || request.headers['sec-websocket-version'] !== '13') {
    socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    return;
  }
  const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);

  let pending = Buffer.alloc(0);
  const take = (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (let next = readFrame(pending); next; next = readFrame(pending)) {
      if (next.error) return end(socket, next.error);
      pending = pending.subarray(next.size);
      if (!answer(socket, next)) return undefined;
    }
    return undefined;
  };
  socket.on('data', take);
  // A peer that hangs up without a close frame still ends the connection.
  socket.on('end', () => socket.end());
  take(head);
}

/** Whether the connection goes on. */
function answer(socket, { final, opcode, payload }) {
  switch (opcode) {
    case text:
    case binary:
    case continuation:
      socket.write(frame(final, opcode, payload));
      return true;
    case ping:
      socket.write(frame(true, pong, payload));
      return true;
    case pong:
      return true;
    case close:
      socket.end(frame(true, close, payload));
      return false;
    default:
      end(socket, 1002);
      return false;
  }
}

function end(socket, code) {
  const reason = Buffer.alloc(2);
  reason.writeUInt16BE(code);
  socket.end(frame(true, close, reason));
}

/** The first whole frame of what has come, `undefined` while it is incomplete. */
function readFrame(bytes) {
  if (bytes.length < 2) return undefined;
  const masked = (bytes[1] & 0x80) !== 0;
  const short = bytes[1] & 0x7f;
  const lengthBytes = { 126: 2, 127: 8 }[short] ?? 0;
  const maskAt = 2 + lengthBytes;
  if (!masked) return { error: 1002 };
  if (bytes.length < maskAt + 4) return undefined;
  const length = lengthBytes === 0 ? short : Number(lengthBytes === 2 ? bytes.readUInt16BE(2) : bytes.readBigUInt64BE(2));
  if (length > limit) return { error: 1009 };
  const size = maskAt + 4 + length;
  if (bytes.length < size) return undefined;
  const mask = bytes.subarray(maskAt, maskAt + 4);
  const payload = Buffer.from(bytes.subarray(maskAt + 4, size).map((byte, n) => byte ^ mask[n % 4]));
  return { final: (bytes[0] & 0x80) !== 0, opcode: bytes[0] & 0x0f, payload, size };
}

function frame(final, opcode, payload) {
  const short = payload.length < 126 ? payload.length : payload.length < 65_536 ? 126 : 127;
  const head = Buffer.alloc(2 + ({ 126: 2, 127: 8 }[short] ?? 0));
  head[0] = (final ? 0x80 : 0) | opcode;
  head[1] = short;
  if (short === 126) head.writeUInt16BE(payload.length, 2);
  if (short === 127) head.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([head, payload]);
}
