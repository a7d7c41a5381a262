import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BSON, MongoClient } from 'mongodb';
import { type Engine } from '../../engine';
import { startMongo } from '..';
import { crc32c } from './crc32c';

let dir: string;
let engine: Engine;
let client: MongoClient;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'attest-mongo-fuzz-'));
  engine = await startMongo({ dataDir: dir, port: 0 });
  client = await MongoClient.connect(engine.url);
  await client.db('d').collection('kept').insertOne({ a: 1 });
});

afterAll(async () => {
  await client.close();
  await engine.close();
  rmSync(dir, { recursive: true });
});

/** The engine is well when it still answers on another connection and has kept its data. */
const isWell = async (): Promise<void> => {
  expect(await client.db('d').collection('kept').countDocuments({ a: 1 })).toBe(1);
};

/** A small generator, so that a seed gives the same bytes everywhere (mulberry32). */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function message(body: object, options: { flags?: number; opCode?: number; sequence?: object[] } = {}): Buffer {
  const sections = [Buffer.from([0]), Buffer.from(BSON.serialize(body))];
  if (options.sequence) {
    const documents = Buffer.concat(options.sequence.map((one) => BSON.serialize(one)));
    const head = Buffer.concat([Buffer.alloc(4), Buffer.from('documents\0')]);
    head.writeInt32LE(head.length + documents.length);
    sections.push(Buffer.from([1]), head, documents);
  }
  const flags = Buffer.alloc(4);
  flags.writeUInt32LE(options.flags ?? 0);
  const header = Buffer.alloc(16);
  const rest = Buffer.concat([flags, ...sections]);
  header.writeInt32LE(16 + rest.length + (options.flags === 1 ? 4 : 0), 0);
  header.writeInt32LE(99, 4);
  header.writeInt32LE(options.opCode ?? 2013, 12);
  const all = Buffer.concat([header, rest]);
  if (options.flags !== 1) return all;
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32LE(crc32c(all));
  return Buffer.concat([all, checksum]);
}

async function open(): Promise<Socket> {
  const socket = connect(engine.port, '127.0.0.1');
  socket.on('error', () => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the connection has ended, also by a reset, which `once` would throw. */
async function closed(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}

/** The reply's document, or undefined when the connection was closed instead. */
async function exchange(bytes: Buffer): Promise<BSON.Document | undefined> {
  const socket = await open();
  const reply = new Promise<BSON.Document | undefined>((resolve) => {
    let received = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 4 && received.length >= received.readInt32LE(0))
        resolve(BSON.deserialize(received.subarray(21)));
    });
    socket.on('close', () => resolve(undefined));
  });
  socket.write(bytes);
  const result = await reply;
  socket.destroy();
  return result;
}

const ping = { ping: 1, $db: 'd' };

it('answers a good message, also with a checksum and with a document sequence', async () => {
  expect(await exchange(message(ping))).toMatchObject({ ok: 1 });
  expect(await exchange(message(ping, { flags: 1 }))).toMatchObject({ ok: 1 });
  expect(await exchange(message({ insert: 'seq', $db: 'd' }, { sequence: [{ a: 1 }, { a: 2 }] }))).toMatchObject({
    ok: 1,
    n: 2,
  });
});

it.each<[string, Buffer]>([
  [
    'a wrong checksum',
    (() => {
      const bytes = message(ping, { flags: 1 });
      bytes[bytes.length - 1]! ^= 1;
      return bytes;
    })(),
  ],
  ['unknown required flags', message(ping, { flags: 4 })],
  ['an unknown operation code', message(ping, { opCode: 2002 })],
  ['a compressed message', message(ping, { opCode: 2012 })],
  ['a length below the header', Buffer.from([5, 0, 0, 0, ...Array<number>(20).fill(0)])],
  ['a negative length', Buffer.from([255, 255, 255, 255, ...Array<number>(20).fill(0)])],
  ['more than 48 MB', Buffer.from([1, 108, 220, 2, ...Array<number>(20).fill(0)])],
])('closes the connection for %s', async (_name, bytes) => {
  expect(await exchange(bytes)).toBeUndefined();
  await isWell();
});

it('answers malformed BSON with InvalidBSON', async () => {
  const bytes = message(ping);
  bytes[30] = 0x42;
  expect(await exchange(bytes)).toMatchObject({ ok: 0, code: 22 });
});

it.each([1, 2, 3])('survives mutated messages, seed %d', async (seed) => {
  const pick = random(seed);
  const bases = [
    message(ping),
    message({ find: 'kept', filter: { a: { $gt: 0, $in: [1, 'x', null] } }, sort: { a: 1 }, $db: 'd' }),
    message({ insert: 'fuzz', ordered: false, $db: 'd' }, { sequence: [{ _id: 1, deep: [{ x: 'y' }] }, { _id: 2 }] }),
    message({
      update: 'fuzz',
      updates: [{ q: { _id: 1 }, u: { $set: { 'a.b': 1 }, $push: { l: { $each: [1], $sort: 1 } } }, upsert: true }],
      $db: 'd',
    }),
    message({
      aggregate: 'kept',
      pipeline: [{ $match: { a: 1 } }, { $group: { _id: '$a', n: { $sum: 1 } } }],
      cursor: {},
      $db: 'd',
    }),
  ];
  for (let round = 0; round < 150; round++) {
    const bytes = Buffer.from(bases[pick(bases.length)]!);
    for (let change = pick(6); change >= 0; change--) bytes[16 + pick(bytes.length - 16)] = pick(256);
    const sent = pick(10) === 0 ? bytes.subarray(0, pick(bytes.length)) : bytes;
    const socket = await open();
    socket.end(sent);
    socket.resume();
    await closed(socket);
  }
  await isWell();
});

it('survives random bytes, in one piece and in crumbs', async () => {
  const pick = random(42);
  for (let round = 0; round < 60; round++) {
    const socket = await open();
    socket.resume();
    const bytes = Buffer.from(Array.from({ length: 1 + pick(400) }, () => pick(256)));
    if (round % 2) bytes.writeInt32LE(bytes.length);
    for (let at = 0; at < bytes.length && !socket.destroyed; at += 1 + pick(50))
      socket.write(bytes.subarray(at, at + 50));
    socket.end();
    await closed(socket);
  }
  await isWell();
});

it('reads a message that arrives byte by byte', async () => {
  const socket = await open();
  socket.setNoDelay(true);
  const reply = once(socket, 'data') as Promise<[Buffer]>;
  for (const byte of message(ping)) socket.write(Buffer.from([byte]));
  expect(BSON.deserialize((await reply)[0].subarray(21))).toMatchObject({ ok: 1 });
  socket.destroy();
});

it('answers pipelined messages in order', async () => {
  const socket = await open();
  const count = 200;
  let received = Buffer.alloc(0);
  const all = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      let replies = 0;
      for (
        let at = 0;
        at + 4 <= received.length && at + received.readInt32LE(at) <= received.length;
        at += received.readInt32LE(at)
      )
        replies++;
      if (replies === count) resolve();
    });
  });
  for (let n = 0; n < count; n++)
    socket.write(n % 2 ? message(ping) : message({ insert: 'pipelined', documents: [{ _id: n }], $db: 'd' }));
  await all;
  expect(await client.db('d').collection('pipelined').countDocuments()).toBe(count / 2);
  socket.destroy();
});

it('does not buffer replies for a client that does not read them', async () => {
  const big = client.db('d').collection<{ _id: number; pad: string }>('big');
  await big.insertMany(Array.from({ length: 10 }, (_, n) => ({ _id: n, pad: 'x'.repeat(1_000_000) })));
  const before = process.memoryUsage();
  const socket = await open();
  socket.pause();
  for (let n = 0; n < 50; n++) socket.write(message({ find: 'big', $db: 'd' }));
  await isWell();
  await isWell();
  const after = process.memoryUsage();
  expect(after.external + after.heapUsed - before.external - before.heapUsed).toBeLessThan(150_000_000);
  socket.destroy();
});

it('keeps 1,000 idle and half-closed connections without harm', async () => {
  const sockets = await Promise.all(Array.from({ length: 1_000 }, open));
  await isWell();
  sockets.forEach((socket, n) => {
    if (n % 2) socket.end(message(ping).subarray(0, n % 40));
    else socket.destroy();
  });
  await Promise.all(sockets.filter((socket) => !socket.destroyed).map((socket) => once(socket.resume(), 'close')));
  await isWell();
});
