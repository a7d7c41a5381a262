import {
  BACKWARDS,
  binaryEvent,
  type Direction,
  END,
  ErrorType,
  FORWARDS,
  type ReadRevision,
  START,
} from '@eventstore/db-client';
import { collect, type Contract, events, failure, numbers, revisions, unique, useServer } from './harness';

let contract: Contract;
let client: Contract['client'];
beforeAll(async () => {
  contract = await useServer();
  client = contract.client;
});
afterAll(() => contract.close());

describe('a stream of ten events', () => {
  let stream: string;
  beforeAll(async () => {
    stream = unique();
    await client.appendToStream(stream, events(10));
  });

  const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const reads: [Direction, ReadRevision, number | undefined, number[]][] = [
    [FORWARDS, START, undefined, all],
    [FORWARDS, START, 3, [0, 1, 2]],
    [FORWARDS, 4n, undefined, [4, 5, 6, 7, 8, 9]],
    [FORWARDS, 4n, 2, [4, 5]],
    [FORWARDS, 9n, 5, [9]],
    [FORWARDS, 10n, undefined, []],
    [FORWARDS, 1_000_000n, undefined, []],
    [FORWARDS, END, undefined, []],
    [BACKWARDS, END, undefined, [...all].reverse()],
    [BACKWARDS, END, 1, [9]],
    [BACKWARDS, 4n, undefined, [4, 3, 2, 1, 0]],
    [BACKWARDS, 4n, 2, [4, 3]],
    [BACKWARDS, START, undefined, [0]],
    [BACKWARDS, 1_000n, 2, [9, 8]],
  ];
  test.each(reads)('%s from %p, at most %p', async (direction, fromRevision, maxCount, expected) => {
    const options = { direction, fromRevision, ...(maxCount !== undefined && { maxCount }) };
    expect(numbers(await collect(client.readStream(stream, options)))).toEqual(expected);
  });
});

test('a stream longer than any page comes whole, both ways', async () => {
  const stream = unique();
  for (let i = 0; i < 1500; i += 500) await client.appendToStream(stream, events(500, 'Tested', i));
  const forwards = numbers(await collect(client.readStream(stream)));
  expect(forwards).toEqual(Array.from({ length: 1500 }, (_, i) => i));
  const backwards = numbers(await collect(client.readStream(stream, { direction: BACKWARDS, fromRevision: END })));
  expect(backwards).toEqual(forwards.reverse());
});

test('events of nearly 1 MiB come back whole', async () => {
  const stream = unique();
  const data = Buffer.alloc(1_000_000, 'abc');
  for (let i = 0; i < 4; i++) await client.appendToStream(stream, binaryEvent({ type: 'big', data }));
  const read = await collect(client.readStream(stream));
  expect(read).toHaveLength(4);
  for (const { event } of read) expect(data.equals(event!.data as Uint8Array)).toBe(true);
});

test('a stream that never was is not found', async () => {
  const stream = unique();
  const error = await failure(collect(client.readStream(stream)));
  expect(error).toMatchObject({ type: ErrorType.STREAM_NOT_FOUND, streamName: stream });
});

test('a read that is given up half-way leaves the connection working', async () => {
  const stream = unique();
  for (let i = 0; i < 5; i++) await client.appendToStream(stream, events(400));
  for (let i = 0; i < 20; i++) expect(await collect(client.readStream(stream), 3)).toHaveLength(3);
  expect(await collect(client.readStream(stream))).toHaveLength(2000);
});

describe('$all', () => {
  const mine = (stream: string) => (item: { event?: { streamId: string } }) => item.event?.streamId === stream;

  test('holds every stream in order of commit', async () => {
    const [a, b] = [unique(), unique()];
    const first = await client.appendToStream(a, events(2, 'Tested', 0));
    await client.appendToStream(b, events(1, 'Tested', 2));
    await client.appendToStream(a, events(1, 'Tested', 3));
    const read = await collect(client.readAll({ fromPosition: first.position! }));
    const wanted = read.filter((item) => mine(a)(item) || mine(b)(item));
    // The position of an append is that of its last event, and a read starts with the event it names.
    expect(numbers(wanted)).toEqual([1, 2, 3]);
    for (const { event, commitPosition } of wanted) expect(event!.position.commit).toBe(commitPosition);
  });

  test('backwards starts before the position it is given', async () => {
    const stream = unique();
    const appended = [];
    for (let i = 0; i < 4; i++) appended.push(await client.appendToStream(stream, events(1, 'Tested', i)));
    const before = await collect(
      client.readAll({ direction: BACKWARDS, fromPosition: appended[2]!.position!, maxCount: 2 }),
    );
    expect(numbers(before.filter(mine(stream)))).toEqual([1, 0]);
    const last = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 }));
    expect(numbers(last)).toEqual([3]);
  });

  test('from the end forwards and from the start backwards is empty', async () => {
    expect(await collect(client.readAll({ fromPosition: END }))).toEqual([]);
    expect(await collect(client.readAll({ direction: BACKWARDS, fromPosition: START }))).toEqual([]);
  });

  test('has the same events both ways', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(300));
    const forwards = await collect(client.readAll({ fromPosition: START }));
    const backwards = await collect(client.readAll({ direction: BACKWARDS, fromPosition: END }));
    const ids = (items: typeof forwards) => items.map(({ event }) => event!.id);
    expect(ids(backwards).reverse().slice(0, forwards.length)).toEqual(ids(forwards));
  });
});

describe('links', () => {
  const link = (target: string) => binaryEvent({ type: '$>', data: Buffer.from(target) });

  test('are followed when the read asks for it, and only then', async () => {
    const [source, links] = [unique(), unique('links')];
    await client.appendToStream(source, events(3));
    await client.appendToStream(links, [link(`2@${source}`), link(`0@${source}`)]);

    const followed = await collect(client.readStream(links, { resolveLinkTos: true }));
    expect(numbers(followed)).toEqual([2, 0]);
    expect(followed.map(({ event }) => event!.streamId)).toEqual([source, source]);
    expect(followed.map((item) => item.link!.streamId)).toEqual([links, links]);
    expect(revisions(followed)).toEqual([2n, 0n]);
    expect(followed.map((item) => item.link!.revision)).toEqual([0n, 1n]);

    const plain = await collect(client.readStream(links));
    expect(plain.map(({ event }) => event!.type)).toEqual(['$>', '$>']);
    expect(plain.every((item) => item.link === undefined)).toBe(true);
  });

  test('to events that are gone keep their place without an event', async () => {
    const [deleted, truncated, links] = [unique(), unique(), unique('links')];
    await client.appendToStream(deleted, events(1));
    await client.appendToStream(truncated, events(3));
    await client.appendToStream(links, [
      link(`0@${deleted}`),
      link(`0@${truncated}`),
      link(`2@${truncated}`),
      link(`7@${truncated}`),
      link(`0@${unique()}`),
    ]);
    await client.deleteStream(deleted);
    await client.setStreamMetadata(truncated, { truncateBefore: 1 });
    const followed = await collect(client.readStream(links, { resolveLinkTos: true }));
    expect(followed.map(({ event }) => event?.revision)).toEqual([undefined, undefined, 2n, undefined, undefined]);
    expect(followed.every((item) => item.link !== undefined)).toBe(true);
  });

  test('to an ordinary event of the stream itself do not disturb it', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(1));
    await client.appendToStream(stream, link(`0@${stream}`));
    const followed = await collect(client.readStream(stream, { resolveLinkTos: true }));
    expect(numbers(followed)).toEqual([0, 0]);
    expect(followed.map((item) => item.link?.revision)).toEqual([undefined, 1n]);
  });
});
