/** Answers of MongoDB, written with the official BSON: a greeting, and as many documents changed as were sent. */
import { createServer, type Server } from 'node:net';
import { serialize } from 'bson';

const HEADER = 16;
const OP_QUERY = 2004;
const GREETING = {
  ok: 1,
  helloOk: true,
  ismaster: true,
  isWritablePrimary: true,
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  minWireVersion: 0,
  maxWireVersion: 21,
};

/** @param batch documents of each write that is answered */
export function cannedMongo(batch = 1_000): Server {
  const answers: Readonly<Record<string, Uint8Array>> = {
    hello: serialize(GREETING),
    ismaster: serialize(GREETING),
    update: serialize({ n: batch, nModified: batch, ok: 1 }),
    endSessions: serialize({ ok: 1 }),
  };
  return createServer({ noDelay: true }, (socket) => {
    let chunks: Buffer[] = [];
    let size = 0;
    let wanted = HEADER;
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      size += chunk.length;
      if (size < wanted) return;
      let bytes = Buffer.concat(chunks);
      for (;;) {
        wanted = bytes.length < HEADER ? HEADER : bytes.readInt32LE(0);
        if (bytes.length < wanted) break;
        socket.write(reply(bytes, answers));
        bytes = bytes.subarray(wanted);
      }
      chunks = [bytes];
      size = bytes.length;
    });
  });
}

function reply(message: Buffer, answers: Readonly<Record<string, Uint8Array>>): Buffer {
  const legacy = message.readInt32LE(12) === OP_QUERY;
  // The body of a command begins with its name: after the flags and the kind of section, or after the name of the collection.
  const body = legacy ? message.indexOf(0, HEADER + 4) + 9 : HEADER + 5;
  const name = message.toString('latin1', body + 5, message.indexOf(0, body + 5));
  const answer = answers[name];
  if (!answer) throw new Error(`No answer was prepared for '${name}'.`);
  const head = Buffer.alloc(HEADER + (legacy ? 20 : 5));
  head.writeInt32LE(head.length + answer.length, 0);
  head.writeInt32LE(message.readInt32LE(4), 8);
  head.writeInt32LE(legacy ? 1 : 2013, 12);
  if (legacy) head.writeInt32LE(1, HEADER + 16);
  return Buffer.concat([head, answer]);
}
