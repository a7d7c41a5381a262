import {
  type AllStreamResolvedEvent,
  binaryEvent,
  END,
  ErrorType,
  eventTypeFilter,
  type Filter,
  excludeSystemEvents,
  type AllStreamSubscription,
  type Position,
  START,
  streamNameFilter,
  type StreamSubscription,
} from '@eventstore/db-client';
import { collect, type Contract, events, failure, numbers, unique, until, useServer } from './harness';

let contract: Contract;
let client: Contract['client'];
beforeAll(async () => {
  contract = await useServer();
  client = contract.client;
});
afterAll(() => contract.close());

const caughtUp = (subscription: StreamSubscription | AllStreamSubscription): Promise<void> =>
  new Promise((resolve) => subscription.once('caughtUp', () => resolve()));

describe('a subscription to a stream', () => {
  test('delivers history, says that it has caught up, and goes on live', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(3));
    const subscription = client.subscribeToStream(stream, { fromRevision: START });
    const caught = caughtUp(subscription);
    const received = collect(subscription, 5);
    await caught;
    await client.appendToStream(stream, events(2, 'Tested', 3));
    expect(numbers(await received)).toEqual([0, 1, 2, 3, 4]);
  });

  test('starts after the revision it is given', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(5));
    const subscription = client.subscribeToStream(stream, { fromRevision: 2n });
    expect(numbers(await collect(subscription, 2))).toEqual([3, 4]);
  });

  test('from the end delivers only what comes later', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(3));
    const subscription = client.subscribeToStream(stream, { fromRevision: END });
    await caughtUp(subscription);
    await client.appendToStream(stream, events(1, 'Tested', 3));
    expect(numbers(await collect(subscription, 1))).toEqual([3]);
  });

  test('waits for a stream that does not exist yet', async () => {
    const stream = unique();
    const subscription = client.subscribeToStream(stream, { fromRevision: START });
    await caughtUp(subscription);
    await client.appendToStream(stream, events(2));
    expect(numbers(await collect(subscription, 2))).toEqual([0, 1]);
  });

  test('goes on when the stream is deleted and recreated', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(2));
    const subscription = client.subscribeToStream(stream, { fromRevision: START });
    const received = collect(subscription, 4);
    await caughtUp(subscription);
    await client.deleteStream(stream);
    await client.appendToStream(stream, events(2, 'Tested', 2));
    expect(numbers(await received)).toEqual([0, 1, 2, 3]);
  });

  test('skips what metadata has truncated', async () => {
    const stream = unique();
    await client.appendToStream(stream, events(5));
    await client.setStreamMetadata(stream, { maxCount: 2 });
    const subscription = client.subscribeToStream(stream, { fromRevision: START });
    expect(numbers(await collect(subscription, 2))).toEqual([3, 4]);
  });

  test('follows links when asked', async () => {
    const [source, links] = [unique(), unique('links')];
    await client.appendToStream(source, events(2));
    const subscription = client.subscribeToStream(links, { fromRevision: START, resolveLinkTos: true });
    await caughtUp(subscription);
    await client.appendToStream(links, binaryEvent({ type: '$>', data: Buffer.from(`1@${source}`) }));
    const [resolved] = await collect(subscription, 1);
    expect(resolved!.event!.data).toEqual({ n: 1 });
    expect(resolved!.link!.streamId).toBe(links);
  });
});

describe('a subscription to $all', () => {
  /** Only events of one stream prefix, so that other tests do not get in the way. */
  const only = (prefix: string) => streamNameFilter({ prefixes: [prefix] });

  test('delivers events of all streams in order of commit', async () => {
    const prefix = unique('all');
    for (let i = 0; i < 6; i++) await client.appendToStream(`${prefix}-${i % 3}`, events(1, 'Tested', i));
    const subscription = client.subscribeToAll({ fromPosition: START, filter: only(prefix) });
    const caught = caughtUp(subscription);
    const received = collect(subscription, 8);
    await caught;
    for (let i = 6; i < 8; i++) await client.appendToStream(`${prefix}-${i % 3}`, events(1, 'Tested', i));
    const resolved = await received;
    expect(numbers(resolved)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const { commitPosition, event } of resolved) expect(commitPosition).toBe(event!.position.commit);
  });

  test('without a filter delivers system events too', async () => {
    const stream = unique();
    const { position } = await client.appendToStream(stream, events(1));
    await client.setStreamMetadata(stream, { maxCount: 3 });
    const subscription = client.subscribeToAll({ fromPosition: position! });
    const [first] = await collect(subscription, 1);
    expect(first!.event).toMatchObject({ type: '$metadata', streamId: `$$${stream}` });
  });

  test('starts after the position it is given', async () => {
    const stream = unique();
    const appended = [];
    for (let i = 0; i < 3; i++) appended.push(await client.appendToStream(stream, events(1, 'Tested', i)));
    const subscription = client.subscribeToAll({ fromPosition: appended[0]!.position!, filter: only(stream) });
    expect(numbers(await collect(subscription, 2))).toEqual([1, 2]);
  });

  test('has neither gap nor duplicate where history ends and live begins', async () => {
    const prefix = unique('seam');
    const total = process.env.ATTEST_TEST_FULL_SIZE ? 3000 : 600;
    let sent = 0;
    const append = async (until: number): Promise<void> => {
      while (sent < until) {
        const count = Math.min(1 + (sent % 7), until - sent);
        await client.appendToStream(`${prefix}-${sent % 13}`, events(count, 'Tested', (sent += count) - count));
      }
    };
    await append(total / 3);
    const writing = append(total);
    // Several subscribers reach the head at different moments while events keep coming.
    const received = Array.from({ length: 6 }, async (_, i) => {
      await until(() => sent > total / 3 + (i * total) / 15);
      return numbers(await collect(client.subscribeToAll({ fromPosition: START, filter: only(prefix) }), total));
    });
    await writing;
    const expected = Array.from({ length: total }, (_, i) => i);
    for (const numbersSeen of await Promise.all(received)) expect(numbersSeen).toEqual(expected);
  });

  test('carries a slow subscriber through a flood, in order', async () => {
    const prefix = unique('slow');
    const subscription = client.subscribeToAll({ fromPosition: END, filter: only(prefix) });
    await caughtUp(subscription);
    const total = 6000;
    for (let i = 0; i < total; i += 200) await client.appendToStream(prefix, events(200, 'Tested', i));
    // Nothing was read so far; all of it arrives now.
    expect(numbers(await collect(subscription, total))).toEqual(Array.from({ length: total }, (_, i) => i));
  });

  test('ends on the client without an error', async () => {
    const subscription = client.subscribeToAll({ fromPosition: END });
    await caughtUp(subscription);
    await subscription.unsubscribe();
    expect(await collect(subscription)).toEqual([]);
  });
});

describe('a filter', () => {
  let prefix: string;
  let from: Position;
  beforeAll(async () => {
    prefix = unique('filter');
    from = (await client.appendToStream(`${prefix}-start`, events(1, 'Start'))).position!;
    for (const [n, [stream, type]] of [
      ['a-1', 'CourseAssigned'],
      ['b-1', 'CourseCompleted'],
      ['a-2', 'AttemptStarted'],
      ['c', 'courseassigned'],
      ['b-2', 'Course.Assigned'],
    ].entries()) {
      await client.appendToStream(`${prefix}-${stream}`, events(1, type, n));
    }
    await client.setStreamMetadata(`${prefix}-a-1`, { maxCount: 10 });
    await client.appendToStream(`${prefix}-end`, events(1, 'CourseAssignedLast', 99));
    await client.appendToStream(`${prefix}-a-end`, events(1, 'AttemptLast', 98));
  });

  /** Numbers of the events of this block that a filter lets through. */
  const through = async (filter: Filter, count: number): Promise<number[]> =>
    numbers(await collect(client.subscribeToAll({ fromPosition: from, filter }), count));

  test('by stream prefixes', async () => {
    expect(await through(streamNameFilter({ prefixes: [`${prefix}-a-`, `${prefix}-c`] }), 4)).toEqual([0, 2, 3, 98]);
  });

  test('by stream expression', async () => {
    expect(await through(streamNameFilter({ regex: `^${prefix}-[ab]-1$` }), 2)).toEqual([0, 1]);
  });

  test('by type prefixes, with case', async () => {
    const types = eventTypeFilter({ prefixes: ['CourseA', 'CourseC', 'AttemptLast'] });
    expect(await through(types, 4)).toEqual([0, 1, 99, 98]);
  });

  test('by type expression', async () => {
    expect(await through(eventTypeFilter({ regex: '^Course\\.?(Assigned|Completed)' }), 4)).toEqual([0, 1, 4, 99]);
  });

  test('that leaves out system events', async () => {
    expect(await through(excludeSystemEvents(), 7)).toEqual([0, 1, 2, 3, 4, 99, 98]);
  });

  test('that is not an expression is refused', async () => {
    const error = await failure(collect(client.subscribeToAll({ filter: eventTypeFilter({ regex: '(' }) })));
    expect(error.type).toBe(ErrorType.UNKNOWN);
  });
});

describe('checkpoints of a filtered subscription', () => {
  test('come at the interval asked for, counting events that are filtered out', async () => {
    const prefix = unique('checkpoint');
    const { position } = await client.appendToStream(prefix, events(1));
    const other = unique('other');
    for (let i = 0; i < 10; i++) await client.appendToStream(other, events(32));
    const last = await client.appendToStream(prefix, events(1, 'Tested', 1));
    const checkpoints: bigint[] = [];
    const subscription = client.subscribeToAll({
      fromPosition: position!,
      filter: streamNameFilter({
        prefixes: [prefix],
        checkpointInterval: 2,
        maxSearchWindow: 32,
        checkpointReached: (_subscription, at) => Promise.resolve(void checkpoints.push(at.commit)),
      }),
    });
    const received: unknown[] = [];
    subscription.on('data', ({ event }: AllStreamResolvedEvent) => received.push(event?.data));
    await caughtUp(subscription);
    await until(() => received.length === 1);
    await subscription.unsubscribe();
    expect(received).toEqual([{ n: 1 }]);
    // 321 events are considered: five full intervals of 64, and one checkpoint at the end of history.
    expect(checkpoints).toHaveLength(6);
    expect(checkpoints).toEqual([...checkpoints].sort((a, b) => (a < b ? -1 : 1)));
    expect(checkpoints.at(-1)).toBe(last.position!.commit);
  });

  test('go on live, so that a restart does not read everything again', async () => {
    const prefix = unique('checkpoint');
    const checkpoints: Position[] = [];
    const subscription = client.subscribeToAll({
      fromPosition: END,
      filter: streamNameFilter({
        prefixes: [prefix],
        checkpointInterval: 1,
        maxSearchWindow: 5,
        checkpointReached: (_subscription, at) => Promise.resolve(void checkpoints.push(at)),
      }),
    });
    subscription.on('data', () => undefined);
    await caughtUp(subscription);
    for (let i = 0; i < 15; i++) await client.appendToStream(unique('other'), events(1));
    await until(() => checkpoints.length >= 3);
    await subscription.unsubscribe();
    await client.appendToStream(prefix, events(1, 'Tested', 7));
    const again = client.subscribeToAll({
      fromPosition: checkpoints.at(-1)!,
      filter: streamNameFilter({ prefixes: [prefix] }),
    });
    expect(numbers(await collect(again, 1))).toEqual([7]);
  });
});

test('a hundred subscribers each get every event', async () => {
  const stream = unique();
  const subscriptions = Array.from({ length: 100 }, () => client.subscribeToStream(stream, { fromRevision: START }));
  const received = subscriptions.map((subscription) => collect(subscription, 20));
  for (let i = 0; i < 20; i++) await client.appendToStream(stream, events(1, 'Tested', i));
  for (const got of await Promise.all(received)) expect(numbers(got)).toHaveLength(20);
});
