import { ANY, ErrorType, type ExpectedRevision, jsonEvent, NO_STREAM, START } from '@eventstore/db-client';
import { collect, type Contract, events, failure, numbers, revisions, unique, until, useServer } from './harness';

let contract: Contract;
let client: Contract['client'];
beforeAll(async () => {
  contract = await useServer();
  client = contract.client;
});
afterAll(() => contract.close());

const readNumbers = async (stream: string) => numbers(await collect(client.readStream(stream)));

describe('stream metadata', () => {
  test('is kept with its system keys, its access list and keys of the user', async () => {
    const stream = unique();
    const metadata = {
      maxCount: 5,
      maxAge: 60,
      truncateBefore: 2,
      cacheControl: 30,
      acl: { readRoles: ['$admins'], writeRoles: ['writer'] },
      owner: 'training department',
    };
    await client.setStreamMetadata(stream, metadata, { expectedRevision: NO_STREAM });
    const read = await client.getStreamMetadata(stream);
    expect(read.metadata).toMatchObject({ maxCount: 5, maxAge: 60, truncateBefore: 2, owner: 'training department' });
    expect(read.metadata?.acl).toMatchObject({ writeRoles: ['writer'] });
    await client.setStreamMetadata(stream, { maxCount: 6 }, { expectedRevision: 0n });
    expect((await client.getStreamMetadata(stream)).metadata?.maxCount).toBe(6);
    const error = await failure(client.setStreamMetadata(stream, {}, { expectedRevision: 0n }));
    expect(error).toMatchObject({ type: ErrorType.WRONG_EXPECTED_VERSION, actualVersion: 1n });
  });

  test('of a stream without any is empty', async () => {
    expect((await client.getStreamMetadata(unique())).metadata).toBeUndefined();
  });

  test('keeps only its last version readable', async () => {
    const stream = unique();
    for (const maxCount of [1, 2, 3]) await client.setStreamMetadata(stream, { maxCount });
    const versions = await collect(client.readStream(`$$${stream}`));
    expect(revisions(versions)).toEqual([2n]);
  });

  test('$maxCount hides all but the last events, at once', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(5));
    await client.setStreamMetadata(stream, { maxCount: 2 });
    expect(await readNumbers(stream)).toEqual([3, 4]);
    await client.appendToStream(stream, events(1, 'Tested', 5));
    expect(await readNumbers(stream)).toEqual([4, 5]);
    const back = await collect(client.readStream(stream, { direction: 'backwards', fromRevision: 'end' }));
    expect(numbers(back)).toEqual([5, 4]);
    await client.setStreamMetadata(stream, { maxCount: 4 });
    expect(await readNumbers(stream)).toEqual([2, 3, 4, 5]);
  });

  test('$tb hides events before a revision, and may hide all', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(4));
    await client.setStreamMetadata(stream, { truncateBefore: 2 });
    expect(await readNumbers(stream)).toEqual([2, 3]);
    expect(numbers(await collect(client.readStream(stream, { fromRevision: 0n, maxCount: 1 })))).toEqual([2]);
    await client.setStreamMetadata(stream, { truncateBefore: 100 });
    expect(await readNumbers(stream)).toEqual([]);
  });

  test('$maxAge hides events that are older', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(2));
    await client.setStreamMetadata(stream, { maxAge: 1 });
    expect(await readNumbers(stream)).toEqual([0, 1]);
    await until(async () => (await readNumbers(stream)).length === 0);
    await client.appendToStream(stream, events(1, 'Tested', 2));
    expect(await readNumbers(stream)).toEqual([2]);
  });

  test('that is not JSON counts as none', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(3));
    await client.appendToStream(`$$${stream}`, jsonEvent({ type: '$metadata', data: 'not an object' }));
    expect(await readNumbers(stream)).toEqual([0, 1, 2]);
  });

  test('does not hide events in $all', async () => {
    const stream = unique();
    const { position } = await client.appendToStream(stream, events(1));
    await client.appendToStream(stream, events(2, 'Tested', 1));
    await client.setStreamMetadata(stream, { maxCount: 1 });
    const read = await collect(client.readAll({ fromPosition: position! }));
    expect(numbers(read.filter(({ event }) => event?.streamId === stream))).toEqual([0, 1, 2]);
  });
});

describe('delete', () => {
  test('hides the stream; the next append brings it back with rising revisions', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(3));
    const { position } = await client.deleteStream(stream, { expectedRevision: 2n });
    expect(position?.commit).toBeGreaterThan(0n);
    expect(await failure(collect(client.readStream(stream)))).toMatchObject({ type: ErrorType.STREAM_NOT_FOUND });

    const result = await client.appendToStream(stream, events(2, 'Tested', 3), { expectedRevision: NO_STREAM });
    expect(result.nextExpectedRevision).toBe(4n);
    expect(await readNumbers(stream)).toEqual([3, 4]);
    expect((await client.getStreamMetadata(stream)).metadata?.truncateBefore).toBe(3);
  });

  test('replaces the metadata of the stream', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(1));
    await client.setStreamMetadata(stream, { maxCount: 1, owner: 'hr' });
    await client.deleteStream(stream);
    await client.appendToStream(stream, events(2));
    const { metadata } = await client.getStreamMetadata(stream);
    expect(metadata).toEqual({ truncateBefore: 1 });
  });

  test('is undone by new metadata, which keep their other keys', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(2));
    await client.deleteStream(stream);
    await client.setStreamMetadata(stream, { maxCount: 7 });
    expect((await client.getStreamMetadata(stream)).metadata).toEqual({ maxCount: 7, truncateBefore: 2 });
    expect(await readNumbers(stream)).toEqual([]);
  });

  test.each<ExpectedRevision>([0n, NO_STREAM])('checks the expected revision %p', async (expectedRevision) => {
    const stream = unique();
    await client.appendToStream(stream, events(2));
    const error = await failure(client.deleteStream(stream, { expectedRevision }));
    expect(error).toMatchObject({ type: ErrorType.WRONG_EXPECTED_VERSION, streamName: stream });
    expect(await readNumbers(stream)).toEqual([0, 1]);
  });

  test('of a stream that never was is a wrong expected version', async () => {
    const error = await failure(client.deleteStream(unique(), { expectedRevision: ANY }));
    expect(error).toMatchObject({ type: ErrorType.WRONG_EXPECTED_VERSION });
  });

  test('leaves the events in $all', async () => {
    const stream = unique();
    const { position } = await client.appendToStream(stream, events(1));
    await client.deleteStream(stream);
    const read = await collect(client.readAll({ fromPosition: position! }));
    expect(read.filter(({ event }) => event?.streamId === stream)).toHaveLength(1);
    expect(read.filter(({ event }) => event?.streamId === `$$${stream}`)).toHaveLength(1);
  });
});

describe('tombstone', () => {
  test('ends a stream for reads, writes, deletes and subscriptions', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(2));
    const { position } = await client.tombstoneStream(stream, { expectedRevision: 1n });
    expect(position?.commit).toBeGreaterThan(0n);
    const deleted = { type: ErrorType.STREAM_DELETED, streamName: stream };
    expect(await failure(collect(client.readStream(stream)))).toMatchObject(deleted);
    expect(await failure(client.appendToStream(stream, events(1)))).toMatchObject(deleted);
    expect(await failure(client.deleteStream(stream))).toMatchObject(deleted);
    expect(await failure(client.tombstoneStream(stream))).toMatchObject(deleted);
    expect(await failure(collect(client.subscribeToStream(stream, { fromRevision: START })))).toMatchObject(deleted);
    expect((await failure(client.setStreamMetadata(stream, { maxCount: 1 }))).type).toBe(ErrorType.STREAM_DELETED);
  });

  test('checks the expected revision', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(2));
    const error = await failure(client.tombstoneStream(stream, { expectedRevision: 0n }));
    expect(error).toMatchObject({ type: ErrorType.WRONG_EXPECTED_VERSION, streamName: stream });
  });

  test('may be set on a stream that never was', async () => {
    const stream = unique();
    await client.tombstoneStream(stream, { expectedRevision: NO_STREAM });
    expect((await failure(client.appendToStream(stream, events(1)))).type).toBe(ErrorType.STREAM_DELETED);
  });

  test('reaches a live subscriber as its last event', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(1));
    const subscription = client.subscribeToStream(stream, { fromRevision: START });
    const types: (string | undefined)[] = [];
    const ended = failure(
      (async () => {
        for await (const { event } of subscription) {
          types.push(event?.type);
          if (types.length === 1) await client.tombstoneStream(stream);
        }
      })(),
    );
    expect(await ended).toMatchObject({ type: ErrorType.STREAM_DELETED });
    expect(types).toEqual(['Tested', '$streamDeleted']);
  });
});
