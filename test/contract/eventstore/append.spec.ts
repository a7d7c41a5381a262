import { randomUUID } from 'node:crypto';
import {
  ANY,
  type AppendExpectedRevision,
  binaryEvent,
  ErrorType,
  jsonEvent,
  NO_STREAM,
  STREAM_EXISTS,
} from '@eventstore/db-client';
import { collect, type Contract, events, failure, numbers, revisions, unique, useServer } from './harness';

let contract: Contract;
beforeAll(async () => {
  contract = await useServer();
});
afterAll(() => contract.close());

const append = (...args: Parameters<Contract['client']['appendToStream']>) => contract.client.appendToStream(...args);
const credentials = { username: 'admin', password: 'changeit' };

// Per-call credentials make the client use Append instead of BatchAppend; both must keep the same rules.
describe.each([
  ['BatchAppend', {}],
  ['Append', { credentials }],
])('by %s', (_rpc, how) => {
  describe('the expected revision', () => {
    type State = 'never existed' | 'live at 2' | 'soft-deleted at 2' | 'tombstoned' | 'only metadata';
    const make = async (state: State): Promise<string> => {
      const stream = unique();
      if (state === 'never existed') return stream;
      if (state === 'only metadata') {
        await contract.client.setStreamMetadata(stream, { maxCount: 10 });
        return stream;
      }
      await append(stream, events(3));
      if (state === 'soft-deleted at 2') await contract.client.deleteStream(stream);
      if (state === 'tombstoned') await contract.client.tombstoneStream(stream);
      return stream;
    };
    type Expectation = bigint | [error: ErrorType, actual?: unknown];
    const wrong = (actual: unknown): Expectation => [ErrorType.WRONG_EXPECTED_VERSION, actual];
    const deleted: Expectation = [ErrorType.STREAM_DELETED];
    const matrix: [State, AppendExpectedRevision, Expectation][] = [
      ['never existed', ANY, 0n],
      ['never existed', NO_STREAM, 0n],
      ['never existed', STREAM_EXISTS, wrong('no_stream')],
      ['never existed', 0n, wrong('no_stream')],
      ['never existed', 5n, wrong('no_stream')],
      ['live at 2', ANY, 3n],
      ['live at 2', NO_STREAM, wrong(2n)],
      ['live at 2', STREAM_EXISTS, 3n],
      ['live at 2', 2n, 3n],
      ['live at 2', 1n, wrong(2n)],
      ['live at 2', 7n, wrong(2n)],
      ['soft-deleted at 2', ANY, 3n],
      ['soft-deleted at 2', NO_STREAM, 3n],
      ['soft-deleted at 2', STREAM_EXISTS, deleted],
      ['soft-deleted at 2', 2n, 3n],
      ['soft-deleted at 2', 0n, wrong(2n)],
      ['tombstoned', ANY, deleted],
      ['tombstoned', NO_STREAM, deleted],
      ['tombstoned', STREAM_EXISTS, deleted],
      ['tombstoned', 2n, deleted],
      ['only metadata', STREAM_EXISTS, 0n],
      ['only metadata', NO_STREAM, 0n],
    ];
    test.each(matrix)('of a stream that is %s, given %p', async (state, expectedRevision, expectation) => {
      const stream = await make(state);
      const appended = append(stream, events(1), { expectedRevision, ...how });
      if (typeof expectation === 'bigint') {
        const result = await appended;
        expect(result).toMatchObject({ success: true, nextExpectedRevision: expectation });
        expect(result.position?.commit).toBe(result.position?.prepare);
        return;
      }
      const [type, actualVersion] = expectation;
      const error = await failure(appended);
      expect(error).toMatchObject({ type, streamName: stream });
      if (actualVersion !== undefined) expect(error.actualVersion).toBe(actualVersion);
    });

    test('is told with the error', async () => {
      const stream = unique();
      await append(stream, events(1));
      for (const expectedRevision of [NO_STREAM, 9n] as const) {
        const error = await failure(append(stream, events(1), { expectedRevision, ...how }));
        expect(error.expectedVersion).toBe(expectedRevision);
      }
    });

    test('lets one of two racing appends win', async () => {
      const stream = unique();
      await append(stream, events(1));
      const outcomes = await Promise.allSettled(
        Array.from({ length: 8 }, () => append(stream, events(1), { expectedRevision: 0n, ...how })),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await collect(contract.client.readStream(stream))).toHaveLength(2);
    });
  });

  describe('idempotency by event id', () => {
    test('repeats an append with the same expected revision without a second copy', async () => {
      const stream = unique();
      const first = events(3);
      const original = await append(stream, first, { expectedRevision: NO_STREAM, ...how });
      await append(stream, events(2), { expectedRevision: 2n });
      const repeated = await append(stream, first, { expectedRevision: NO_STREAM, ...how });
      expect(repeated.nextExpectedRevision).toBe(2n);
      expect(repeated.position).toEqual(original.position);
      expect(await collect(contract.client.readStream(stream))).toHaveLength(5);
    });

    test.each<AppendExpectedRevision>([ANY, STREAM_EXISTS])(
      'repeats an append that expects %s',
      async (expectedRevision) => {
        const stream = unique();
        await append(stream, events(1));
        const batch = events(2);
        const original = await append(stream, batch, { expectedRevision, ...how });
        await append(stream, events(1));
        const repeated = await append(stream, batch, { expectedRevision, ...how });
        expect(repeated).toMatchObject({ nextExpectedRevision: 2n, position: original.position });
        expect(await collect(contract.client.readStream(stream))).toHaveLength(4);
      },
    );

    test.each<AppendExpectedRevision>([ANY, NO_STREAM])(
      'refuses known events followed by new ones, expecting %s',
      async (expectedRevision) => {
        const stream = unique();
        const batch = events(2);
        await append(stream, batch);
        const error = await failure(append(stream, [...batch, ...events(1)], { expectedRevision, ...how }));
        expect(error.type).toBe(ErrorType.WRONG_EXPECTED_VERSION);
      },
    );

    test('appends new events followed by known ones, expecting any', async () => {
      const stream = unique();
      const batch = events(1);
      await append(stream, batch);
      const result = await append(stream, [...events(1), ...batch], { expectedRevision: ANY, ...how });
      expect(result.nextExpectedRevision).toBe(2n);
    });

    test('keeps the same id in another stream, and again at the right revision', async () => {
      const [stream, other] = [unique(), unique()];
      const batch = events(1);
      await append(stream, batch);
      expect((await append(other, batch, { expectedRevision: ANY, ...how })).nextExpectedRevision).toBe(0n);
      expect((await append(stream, batch, { expectedRevision: 0n, ...how })).nextExpectedRevision).toBe(1n);
    });

    test('answers a repeat that overtakes the original', async () => {
      const stream = unique();
      const batch = events(2);
      const results = await Promise.all(
        Array.from({ length: 5 }, () => append(stream, batch, { expectedRevision: NO_STREAM, ...how })),
      );
      expect(new Set(results.map(({ nextExpectedRevision }) => nextExpectedRevision))).toEqual(new Set([1n]));
      expect(await collect(contract.client.readStream(stream))).toHaveLength(2);
    });
  });

  describe('one append', () => {
    test('is stored whole, in order, with dense revisions and rising positions', async () => {
      const stream = unique();
      await append(stream, events(100), how);
      const stored = await collect(contract.client.readStream(stream));
      expect(numbers(stored)).toEqual(Array.from({ length: 100 }, (_, i) => i));
      expect(revisions(stored)).toEqual(Array.from({ length: 100 }, (_, i) => BigInt(i)));
      const positions = stored.map(({ event }) => event!.position!.commit);
      expect(positions).toEqual([...positions].sort((a, b) => (a < b ? -1 : 1)));
      expect(new Set(positions).size).toBe(100);
    });

    test('takes 1 MiB and refuses more, storing nothing', async () => {
      const stream = unique();
      const of = (bytes: number) => binaryEvent({ type: 't', data: Buffer.alloc(bytes) });
      await append(stream, of(1024 * 1024 - 2), how);
      for (const tooMuch of [[of(1024 * 1024 - 1)], [of(600_000), of(600_000)], [of(3_500_000)]]) {
        const error = await failure(append(stream, tooMuch, how));
        expect(error).toMatchObject({ type: ErrorType.MAXIMUM_APPEND_SIZE_EXCEEDED, maxAppendSize: 1024 * 1024 });
      }
      expect(await collect(contract.client.readStream(stream))).toHaveLength(1);
    });

    test('keeps JSON, metadata, binary data, ids, types and the time', async () => {
      const stream = unique('café ☕ 学习');
      const id = randomUUID();
      const before = Date.now();
      await append(
        stream,
        [
          jsonEvent({ id, type: 'Überprüft', data: { text: 'naïve ✓' }, metadata: { actor: 'ann' } }),
          binaryEvent({ type: 'blob', data: Buffer.from([0, 255, 1]), metadata: Buffer.from([9, 8]) }),
          jsonEvent({ type: 'bare', data: null as unknown as string }),
        ],
        how,
      );
      const [json, binary, bare] = (await collect(contract.client.readStream(stream))).map(({ event }) => event!);
      expect(json).toMatchObject({
        id,
        streamId: stream,
        type: 'Überprüft',
        isJson: true,
        data: { text: 'naïve ✓' },
        metadata: { actor: 'ann' },
      });
      expect(json!.created.getTime()).toBeGreaterThanOrEqual(before - 1000);
      expect(json!.created.getTime()).toBeLessThanOrEqual(Date.now() + 1000);
      expect(binary).toMatchObject({ isJson: false, type: 'blob' });
      expect([...(binary!.data as Uint8Array)]).toEqual([0, 255, 1]);
      expect([...(binary!.metadata as Uint8Array)]).toEqual([9, 8]);
      expect(bare!.data).toBeNull();
    });

    test('names a stream of any length', async () => {
      const names = [unique('x'.repeat(1500)), unique('x'.repeat(1500))];
      for (const [n, name] of names.entries()) await append(name, events(1, 'Long', n), how);
      for (const [n, name] of names.entries()) {
        expect(numbers(await collect(contract.client.readStream(name)))).toEqual([n]);
      }
    });
  });
});

test('many appends in flight are answered each with its own outcome', async () => {
  const streams = Array.from({ length: 20 }, () => unique());
  const results = await Promise.all(
    Array.from({ length: 400 }, (_, i) => append(streams[i % 20]!, events(2, 'Tested', i), { expectedRevision: ANY })),
  );
  const seen = results.map(({ nextExpectedRevision }, i) => `${i % 20}@${nextExpectedRevision}`);
  expect(new Set(seen).size).toBe(400);
  for (const stream of streams) expect(await collect(contract.client.readStream(stream))).toHaveLength(40);
});

test('an append to $all is refused', async () => {
  expect(await failure(append('$all', events(1)))).toMatchObject({ type: ErrorType.ACCESS_DENIED });
});

test('an append whose deadline has passed is not confirmed', async () => {
  const error = await failure(append(unique(), events(1), { deadline: -1000 }));
  expect(error.type).toBe(ErrorType.DEADLINE_EXCEEDED);
  const inParts = { deadline: -1000, batchAppendSize: 64 * 1024 };
  const large = await failure(append(unique(), events(2_000), inParts));
  expect(large.type).toBe(ErrorType.DEADLINE_EXCEEDED);
});
