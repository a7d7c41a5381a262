/** Peers that break the rules: the engine answers or hangs up, stays up, and leaks nothing. Seeds are fixed. */
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { binaryEvent, EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { type ChildEngine, startEngineProcess } from '../../infra/embedded/child';
import { anonymousMemory } from '../../infra/embedded/process-usage';
import { MessageWriter } from '../../infra/embedded/eventstore/wire/protobuf';
import { GrpcServer } from '../../infra/embedded/eventstore/wire/server';
import { wholeNumbers } from '../seeded';

let dataDir: string;
let engine: ChildEngine;
let client: EventStoreDBClient;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'attest-eventstore-hostile-'));
  engine = await startEngineProcess('eventstore', { dataDir, port: 0 });
  client = EventStoreDBClient.connectionString(engine.url);
});
afterAll(async () => {
  await client.dispose();
  await engine.close();
  await rm(dataDir, { recursive: true });
});
afterEach(async () => {
  expect(engine.process.exitCode).toBeNull();
  const { success } = await client.appendToStream('alive', jsonEvent({ type: 'StillHere', data: {} }));
  expect(success).toBe(true);
  await settled();
});

/** Open files and sockets of the engine. */
const descriptors = (): number => readdirSync(`/proc/${engine.process.pid}/fd`).length;
let baseline: number | undefined;

/** Waits until the engine holds no more connections than after the first test. */
async function settled(): Promise<void> {
  baseline ??= descriptors() + 2;
  while (descriptors() > baseline) await delay(10);
}

const randomBytes = (next: (below: number) => number, length: number): Buffer =>
  Buffer.from(Array.from({ length }, () => next(256)));

const tcp = (port = engine.port): Promise<Socket> =>
  new Promise((resolve) => {
    const socket = connectTcp(port, '127.0.0.1', () => resolve(socket));
    socket.on('error', () => undefined);
  });

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const EMPTY_SETTINGS = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);

test('bytes that are no HTTP/2', async () => {
  const next = wholeNumbers(1);
  for (let i = 0; i < 40; i++) {
    const socket = await tcp();
    socket.write(i % 4 === 0 ? 'GET /stats HTTP/1.1\r\nhost: x\r\n\r\n' : randomBytes(next, 1 + next(2000)));
    setTimeout(() => socket.destroy(), 20);
  }
});

/** Random frames behind a correct preface, to a port. */
async function sendFrames(port: number, seed: number, connections: number): Promise<Socket[]> {
  const next = wholeNumbers(seed);
  const sockets: Socket[] = [];
  for (let i = 0; i < connections; i++) {
    const socket = await tcp(port);
    sockets.push(socket);
    socket.write(Buffer.concat([PREFACE, EMPTY_SETTINGS]));
    for (let j = 0; j < 20; j++) {
      const payload = randomBytes(next, next(200));
      const head = Buffer.alloc(9);
      head.writeUIntBE(next(10) === 0 ? next(2 ** 24) : payload.length, 0, 3);
      head[3] = next(12);
      head[4] = next(256);
      head.writeUInt32BE(next(50), 5);
      socket.write(Buffer.concat([head, payload]));
    }
  }
  return sockets;
}

test('HTTP/2 frames with random types, flags, streams and payloads', async () => {
  for (const socket of await sendFrames(engine.port, 2, 60)) setTimeout(() => socket.destroy(), 50);
  await delay(100);
  baseline = undefined; // Connections that broke the protocol go with the next keep-alive, see the next test.
});

test('connections that broke the protocol end with the keep-alive', async () => {
  const server = new GrpcServer(50);
  const sockets = await sendFrames(await server.listen(0), 5, 30);
  for (const socket of sockets) setTimeout(() => socket.destroy(), 20);
  while (server.connections > 0) await delay(10);
  await server.close();
});

/** Sends bytes as the body of one call and tells how it ended. */
function call(session: ClientHttp2Session, path: string, body: Buffer, half = false): Promise<string> {
  return new Promise((resolve) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let status = '';
    stream.on('response', (headers) => (status = String(headers['grpc-status'] ?? '')));
    stream.on('trailers', (headers: IncomingHttpHeaders) => (status = String(headers['grpc-status'])));
    stream.on('error', () => undefined);
    stream.on('close', () => resolve(status));
    stream.resume();
    stream.write(body);
    if (!half) stream.end();
    // Calls that wait for more, subscriptions for instance, are broken off.
    setTimeout(() => stream.close(), 300).unref();
  });
}

const http2 = (): ClientHttp2Session => {
  // This client may queue more than its own default of 10 MB allows.
  const session = connectHttp2(`http://127.0.0.1:${engine.port}`, { maxSessionMemory: 1000 });
  session.on('error', () => undefined);
  return session;
};
const framed = (message: Buffer, length = message.length, flags = 0): Buffer => {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, message]);
};

const STREAMS = '/event_store.client.streams.Streams';
const PERSISTENT = '/event_store.client.persistent_subscriptions.PersistentSubscriptions';
const paths = [
  ...['Read', 'Append', 'BatchAppend', 'Delete', 'Tombstone'].map((method) => `${STREAMS}/${method}`),
  ...['Create', 'Update', 'Delete', 'Read', 'GetInfo', 'ReplayParked', 'List'].map(
    (method) => `${PERSISTENT}/${method}`,
  ),
  '/event_store.client.server_features.ServerFeatures/GetSupportedMethods',
  '/event_store.client.gossip.Gossip/Read',
];

/** A message that means something to every method, to be damaged by the fuzzer. */
const sample = new MessageWriter()
  .message(1, (options) =>
    options
      .message(1, (inner) => inner.bytes(3, Buffer.from('fuzzed')).string(2, '6f2d0d0e-6f2b-4a53-9c55-0b5a4f7a3b11'))
      .message(2, (inner) => inner.empty(3).uint(1, 5))
      .uint(3, 1)
      .uint(5, 10),
  )
  .message(2, (options) => options.message(1, (inner) => inner.bytes(3, Buffer.from('fuzzed'))).empty(4))
  .message(3, (event) =>
    event
      .message(1, (id) => id.string(2, '6f2d0d0e-6f2b-4a53-9c55-0b5a4f7a3b11'))
      .message(2, (entry) => entry.string(1, 'type').string(2, 'Fuzzed'))
      .message(2, (entry) => entry.string(1, 'content-type').string(2, 'application/json'))
      .bytes(4, Buffer.from('{}')),
  )
  .bool(4, true)
  .finish();

test('malformed protobuf in every method', async () => {
  const next = wholeNumbers(3);
  const session = http2();
  const statuses = new Set<string>();
  for (let round = 0; round < 40; round++) {
    const ended = paths.map((path) => {
      const message = next(3) === 0 ? randomBytes(next, next(300)) : Buffer.from(sample);
      for (let i = next(6); i > 0; i--) if (message.length > 0) message[next(message.length)] = next(256);
      const body = framed(message.subarray(0, message.length - (next(4) === 0 ? next(20) : 0)));
      return call(session, path, next(5) === 0 ? Buffer.concat([body, body]) : body);
    });
    for (const status of await Promise.all(ended)) statuses.add(status);
  }
  session.destroy();
  expect(statuses).toContain('3');
  // Neither is an answer to bytes: they would mean that the engine itself went wrong.
  expect(statuses).not.toContain('2');
  expect(statuses).not.toContain('13');
});

test('frames that lie about their length, are compressed, or are too large', async () => {
  const session = http2();
  const message = Buffer.from(sample);
  expect(await call(session, paths[1]!, framed(message, 2 ** 31))).toBe('8');
  expect(await call(session, paths[1]!, framed(message, 20 * 1024 * 1024))).toBe('8');
  expect(await call(session, paths[1]!, framed(message, message.length, 1))).toBe('12');
  expect(await call(session, paths[1]!, framed(message, message.length + 1))).toBe('13');
  expect(await call(session, paths[0]!, Buffer.alloc(0))).toBe('3');
  expect(await call(session, '/nobody.Home/Read', framed(message))).toBe('12');
  session.destroy();
});

test('unfinished batches are bounded', async () => {
  const session = http2();
  const stream = session.request({
    ':method': 'POST',
    ':path': paths[2]!,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const status = new Promise((resolve) =>
    stream.on('trailers', (trailers: IncomingHttpHeaders) => resolve(trailers['grpc-status'])),
  );
  stream.on('error', () => undefined);
  stream.resume();
  const data = Buffer.alloc(3_000_000);
  for (let i = 0; i < 30 && !stream.destroyed; i++) {
    const part = new MessageWriter()
      .message(1, (id) => id.string(2, `00000000-0000-0000-0000-0000000000${10 + i}`))
      .message(3, (event) => event.bytes(4, data));
    stream.write(framed(part.finish()));
  }
  expect(await status).toBe('8');
  session.destroy();
});

test('connections cut at any byte of a valid conversation', async () => {
  const recorded = await record();
  const next = wholeNumbers(4);
  for (let i = 0; i < 60; i++) {
    const socket = await tcp();
    socket.write(recorded.subarray(0, next(recorded.length)));
    if (i % 3 === 0) socket.end(); // Half-closed: the engine must not wait for the rest.
    setTimeout(() => socket.destroy(), i % 3 === 0 ? 200 : 10);
  }
});

/** What an ordinary client sends, as bytes. */
async function record(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const sockets: Socket[] = [];
  const proxy = createServer((from) => {
    const to = connectTcp(engine.port, '127.0.0.1');
    sockets.push(from, to);
    from.on('data', (chunk: Buffer) => chunks.push(chunk) && to.write(chunk));
    to.on('data', (chunk: Buffer) => from.write(chunk));
    for (const [one, other] of [
      [from, to],
      [to, from],
    ] as const) {
      one.on('close', () => other.destroy());
      one.on('error', () => undefined);
    }
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as { port: number };
  const recorded = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port}?tls=false`);
  await recorded.appendToStream('recorded', jsonEvent({ type: 'T', data: {} }));
  for await (const _ of recorded.readStream('recorded')) continue;
  const subscription = recorded.subscribeToAll();
  await new Promise((resolve) => subscription.once('caughtUp', resolve));
  await subscription.unsubscribe();
  await recorded.dispose();
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => proxy.close(resolve));
  return Buffer.concat(chunks);
}

test('subscribers that never read hold no more than a page each', async () => {
  const filler = Buffer.alloc(50_000, 'x');
  await client.appendToStream('flood', binaryEvent({ type: 'T', data: filler }));
  const sessions = Array.from({ length: 40 }, http2);
  // $all from the start, as a subscription.
  const subscribe = new MessageWriter()
    .message(1, (options) => options.message(2, (all) => all.empty(2)).empty(6))
    .finish();
  const streams = sessions.map((session) =>
    session.request({ ':method': 'POST', ':path': paths[0]!, 'content-type': 'application/grpc' }),
  );
  for (const stream of streams) {
    stream.on('error', () => undefined);
    stream.end(framed(subscribe));
  }
  const memory = (): number => anonymousMemory(engine.process.pid!);
  const before = memory();
  for (let i = 0; i < 40; i++) {
    await client.appendToStream(
      'flood',
      Array.from({ length: 20 }, () => binaryEvent({ type: 'T', data: filler })),
    );
  }
  // 40 MB were written; unbounded buffers would hold 1.6 GB by now.
  expect(memory() - before).toBeLessThan(200 * 1024 * 1024);
  for (const session of sessions) session.destroy();
});

test('a thousand idle connections', async () => {
  const sockets = await Promise.all(Array.from({ length: 1000 }, () => tcp()));
  for (const [i, socket] of sockets.entries()) if (i % 2 === 0) socket.write(Buffer.concat([PREFACE, EMPTY_SETTINGS]));
  expect(await client.appendToStream('alive', jsonEvent({ type: 'StillHere', data: {} }))).toMatchObject({
    success: true,
  });
  for (const socket of sockets) socket.destroy();
});

test('the engine listens on loopback only', () => {
  const hex = engine.port.toString(16).toUpperCase().padStart(4, '0');
  const listening = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((table) =>
    readFileSync(table, 'utf8')
      .split('\n')
      .map((row) => row.trim().split(/\s+/))
      .filter(([, local, , state]) => state === '0A' && local?.endsWith(`:${hex}`)),
  );
  expect(listening.map(([, local]) => local)).toEqual([`0100007F:${hex}`]);
});
