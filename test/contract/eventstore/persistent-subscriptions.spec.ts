import {
  END,
  ErrorType,
  type PersistentSubscriptionToAll,
  type PersistentSubscriptionToStream,
  persistentSubscriptionToAllSettingsFromDefaults,
  persistentSubscriptionToStreamSettingsFromDefaults as settings,
  type PersistentSubscriptionToStreamSettings,
  START,
  streamNameFilter,
} from '@eventstore/db-client';
import { collect, type Contract, events, failure, unique, until, useServer } from './harness';

let contract: Contract;
let client: Contract['client'];
beforeAll(async () => {
  contract = await useServer();
  client = contract.client;
});
afterAll(() => contract.close());

const GROUP = 'graders';
type Subscription = PersistentSubscriptionToStream | PersistentSubscriptionToAll;
type Message = Parameters<Subscription['ack']>[0] & { retryCount: number };

/** A stream with some events and a group that reads it from the start. */
async function setUp(count: number, changes: Partial<PersistentSubscriptionToStreamSettings> = {}): Promise<string> {
  const stream = unique();
  if (count > 0) await client.appendToStream(stream, events(count));
  await client.createPersistentSubscriptionToStream(stream, GROUP, settings({ startFrom: START, ...changes }));
  return stream;
}

/** Connects and collects messages; `answer` decides about each. */
function consume(
  subscription: Subscription,
  answer: (message: Message) => Promise<void>,
): { n: number; retry: number }[] {
  const seen: { n: number; retry: number }[] = [];
  subscription.on('error', () => undefined);
  subscription.on('data', (message: Message) => {
    seen.push({ n: numberOf(message), retry: message.retryCount });
    void answer(message);
  });
  return seen;
}
const numberOf = ({ event }: Message): number => (event?.data as { n: number }).n;
const connect = (stream: string, bufferSize = 10) =>
  client.subscribeToPersistentSubscriptionToStream(stream, GROUP, { bufferSize });
const info = (stream: string) => client.getPersistentSubscriptionToStreamInfo(stream, GROUP);
const parked = async (stream: string) => (await info(stream)).stats.parkedMessageCount;

describe('groups', () => {
  test('are created once, described, updated and deleted', async () => {
    const stream = await setUp(0, { maxRetryCount: 3, readBatchSize: 7, consumerStrategyName: 'Pinned' });
    const exists = client.createPersistentSubscriptionToStream(stream, GROUP, settings());
    expect(await failure(exists)).toMatchObject({
      type: ErrorType.PERSISTENT_SUBSCRIPTION_EXISTS,
      streamName: stream,
      groupName: GROUP,
    });
    expect(await info(stream)).toMatchObject({
      eventSource: stream,
      groupName: GROUP,
      settings: { maxRetryCount: 3, readBatchSize: 7, consumerStrategyName: 'Pinned', startFrom: START },
      connections: [],
    });
    await client.updatePersistentSubscriptionToStream(stream, GROUP, settings({ maxRetryCount: 4, startFrom: END }));
    expect((await info(stream)).settings).toMatchObject({ maxRetryCount: 4, startFrom: END });
    await client.deletePersistentSubscriptionToStream(stream, GROUP);
    expect(await failure(info(stream))).toMatchObject({ type: ErrorType.PERSISTENT_SUBSCRIPTION_DOES_NOT_EXIST });
  });

  test('measure how long consumers take, when they are asked to', async () => {
    const stream = await setUp(5, { extraStatistics: true });
    const subscription = connect(stream);
    const seen = consume(subscription, (message) => subscription.ack(message));
    await until(async () => seen.length === 5 && (await info(stream)).stats.outstandingMessagesCount === 0);
    const [connection] = (await info(stream)).connections;
    const measured = [...connection!.extraStatistics!.keys()];
    expect(measured).toEqual(expect.arrayContaining(['mean', 'median', 'fastest', 'highest', 'quintile 3', '99%']));
    await subscription.unsubscribe();
  });

  test('that do not exist are named in the error of every call', async () => {
    const stream = unique();
    const missing = { type: ErrorType.PERSISTENT_SUBSCRIPTION_DOES_NOT_EXIST };
    expect(await failure(info(stream))).toMatchObject(missing);
    expect(await failure(client.deletePersistentSubscriptionToStream(stream, GROUP))).toMatchObject(missing);
    expect(await failure(client.updatePersistentSubscriptionToStream(stream, GROUP, settings()))).toMatchObject(
      missing,
    );
    expect(await failure(client.replayParkedMessagesToStream(stream, GROUP))).toMatchObject(missing);
    expect(await failure(client.listPersistentSubscriptionsToStream(stream))).toMatchObject(missing);
    expect(await failure(collect(connect(stream)))).toMatchObject(missing);
  });

  test('are listed by stream, for $all, and altogether', async () => {
    const stream = await setUp(0);
    const group = unique('group');
    await client.createPersistentSubscriptionToAll(group, persistentSubscriptionToAllSettingsFromDefaults());
    const names = (infos: { eventSource: string; groupName: string }[]) =>
      infos.map(({ eventSource, groupName }) => `${eventSource}::${groupName}`);
    expect(names(await client.listPersistentSubscriptionsToStream(stream))).toEqual([`${stream}::${GROUP}`]);
    expect(names(await client.listPersistentSubscriptionsToAll())).toContain(`$all::${group}`);
    const all = names(await client.listAllPersistentSubscriptions());
    expect(all).toEqual(expect.arrayContaining([`${stream}::${GROUP}`, `$all::${group}`]));
    await client.deletePersistentSubscriptionToAll(group);
    const gone = await failure(client.getPersistentSubscriptionToAllInfo(group));
    expect(gone.type).toBe(ErrorType.PERSISTENT_SUBSCRIPTION_DOES_NOT_EXIST);
  });

  test('drop their consumers when they are deleted', async () => {
    const stream = await setUp(1);
    const subscription = connect(stream);
    const dropped = failure(collect(subscription));
    await until(async () => (await info(stream)).connections.length === 1);
    await client.deletePersistentSubscriptionToStream(stream, GROUP);
    expect(await dropped).toMatchObject({ type: ErrorType.PERSISTENT_SUBSCRIPTION_DROPPED });
  });

  test('take no more consumers than they are allowed', async () => {
    const stream = await setUp(0, { maxSubscriberCount: 1 });
    const first = connect(stream);
    consume(first, () => Promise.resolve());
    await until(async () => (await info(stream)).connections.length === 1);
    const refused = await failure(collect(connect(stream)));
    expect(refused).toMatchObject({ type: ErrorType.MAXIMUM_SUBSCRIBERS_REACHED, streamName: stream });
    await first.unsubscribe();
    await until(async () => (await info(stream)).connections.length === 0);
  });
});

describe('a consumer', () => {
  test('gets history and live events, each once when it acknowledges', async () => {
    const stream = await setUp(30);
    const subscription = connect(stream);
    const seen = consume(subscription, (message) => subscription.ack(message));
    await until(() => seen.length === 30);
    await client.appendToStream(stream, events(5, 'Tested', 30));
    await until(() => seen.length === 35);
    expect(seen.map(({ n }) => n)).toEqual(Array.from({ length: 35 }, (_, i) => i));
    await subscription.unsubscribe();
  });

  test('of a group that starts at the end gets only later events', async () => {
    const stream = await setUp(3, { startFrom: END });
    await client.appendToStream(stream, events(1, 'Tested', 3));
    const subscription = connect(stream);
    const seen = consume(subscription, (message) => subscription.ack(message));
    await until(() => seen.length === 1);
    expect(seen).toEqual([{ n: 3, retry: 0 }]);
    await subscription.unsubscribe();
  });

  test('of a group that starts at a revision gets that event first', async () => {
    const stream = await setUp(5, { startFrom: 3n });
    const subscription = connect(stream);
    const seen = consume(subscription, (message) => subscription.ack(message));
    await until(() => seen.length === 2);
    expect(seen.map(({ n }) => n)).toEqual([3, 4]);
    await subscription.unsubscribe();
  });

  test('gets no more than its buffer before it answers', async () => {
    const stream = await setUp(10);
    const subscription = connect(stream, 3);
    const held: Message[] = [];
    const seen = consume(subscription, (message) => Promise.resolve(void held.push(message)));
    await until(async () => (await info(stream)).connections[0]?.availableSlots === 0);
    expect(seen).toHaveLength(3);
    await subscription.ack(...held.splice(0));
    await until(() => seen.length === 6);
    await subscription.unsubscribe();
  });

  test('that leaves gives its messages to the next', async () => {
    const stream = await setUp(4);
    const first = connect(stream);
    const held = consume(first, () => Promise.resolve());
    await until(() => held.length === 4);
    await first.unsubscribe();
    const second = connect(stream);
    const seen = consume(second, (message) => second.ack(message));
    await until(() => seen.length === 4);
    expect(seen.map(({ n }) => n).sort()).toEqual([0, 1, 2, 3]);
    await second.unsubscribe();
  });

  test('that is silent too long gets the message again', async () => {
    const stream = await setUp(1, { messageTimeout: 100 });
    const subscription = connect(stream);
    const seen = consume(subscription, async (message) => {
      if (message.retryCount > 0) await subscription.ack(message);
    });
    await until(() => seen.length >= 2);
    expect(seen[1]).toEqual({ n: 0, retry: 1 });
    await subscription.unsubscribe();
  });
});

describe('a negative answer', () => {
  test('"retry" sends the message again until the limit, then parks it', async () => {
    const stream = await setUp(1, { maxRetryCount: 2 });
    const subscription = connect(stream);
    const seen = consume(subscription, (message) => subscription.nack('retry', 'again', message));
    await until(async () => (await parked(stream)) === 1n);
    expect(seen.map(({ retry }) => retry)).toEqual([0, 1, 2]);
    await subscription.unsubscribe();
  });

  test('"skip" is the end of the message', async () => {
    const stream = await setUp(3);
    const subscription = connect(stream);
    const seen = consume(subscription, (message) => subscription.nack('skip', 'not for me', message));
    await until(() => seen.length === 3);
    await until(async () => (await info(stream)).stats.outstandingMessagesCount === 0);
    expect(await parked(stream)).toBe(0n);
    await subscription.unsubscribe();
  });

  test('"park" puts it aside; a replay brings it back', async () => {
    const stream = await setUp(3);
    const subscription = connect(stream);
    let replaying = false;
    const seen = consume(subscription, (message) =>
      replaying || numberOf(message) !== 1 ? subscription.ack(message) : subscription.nack('park', 'later', message),
    );
    await until(async () => (await parked(stream)) === 1n);
    expect(seen.map(({ n }) => n)).toEqual([0, 1, 2]);
    replaying = true;
    await client.replayParkedMessagesToStream(stream, GROUP);
    await until(() => seen.length === 4);
    expect(seen[3]!.n).toBe(1);
    await until(async () => (await parked(stream)) === 0n);
    await subscription.unsubscribe();
  });

  test('"park" is replayed up to a limit', async () => {
    const stream = await setUp(4);
    const subscription = connect(stream);
    let replaying = false;
    const seen = consume(subscription, (message) =>
      replaying ? subscription.ack(message) : subscription.nack('park', 'later', message),
    );
    await until(async () => (await parked(stream)) === 4n);
    replaying = true;
    await client.replayParkedMessagesToStream(stream, GROUP, { stopAt: 2 });
    await until(() => seen.length === 6);
    expect(seen.slice(4).map(({ n }) => n)).toEqual([0, 1]);
    expect(await parked(stream)).toBe(2n);
    await subscription.unsubscribe();
  });
});

describe('strategies', () => {
  test('RoundRobin shares messages evenly', async () => {
    const stream = await setUp(0, { consumerStrategyName: 'RoundRobin' });
    const consumers = [connect(stream), connect(stream)];
    const seen = consumers.map((subscription) => consume(subscription, (message) => subscription.ack(message)));
    await until(async () => (await info(stream)).connections.length === 2);
    await client.appendToStream(stream, events(20));
    await until(() => seen[0]!.length + seen[1]!.length === 20);
    expect(seen.map(({ length }) => length)).toEqual([10, 10]);
    for (const subscription of consumers) await subscription.unsubscribe();
  });

  test('DispatchToSingle prefers one consumer', async () => {
    const stream = await setUp(0, { consumerStrategyName: 'DispatchToSingle' });
    const consumers = [connect(stream, 100), connect(stream, 100)];
    const seen = consumers.map((subscription) => consume(subscription, (message) => subscription.ack(message)));
    await until(async () => (await info(stream)).connections.length === 2);
    await client.appendToStream(stream, events(20));
    await until(() => seen[0]!.length + seen[1]!.length === 20);
    expect(seen.map(({ length }) => length).sort((a, b) => a - b)).toEqual([0, 20]);
    for (const subscription of consumers) await subscription.unsubscribe();
  });

  test('Pinned keeps every stream with one consumer', async () => {
    const prefix = unique('pinned');
    const group = unique('group');
    await client.createPersistentSubscriptionToAll(
      group,
      persistentSubscriptionToAllSettingsFromDefaults({ startFrom: END, consumerStrategyName: 'Pinned' }),
      { filter: streamNameFilter({ prefixes: [prefix] }) },
    );
    const owners = new Map<string, Set<number>>();
    let count = 0;
    const consumers = [0, 1, 2].map((i) => {
      const subscription = client.subscribeToPersistentSubscriptionToAll(group);
      consume(subscription, (message) => {
        const stream = message.event!.streamId;
        owners.set(stream, (owners.get(stream) ?? new Set()).add(i));
        count++;
        return subscription.ack(message);
      });
      return subscription;
    });
    await until(async () => (await client.getPersistentSubscriptionToAllInfo(group)).connections.length === 3);
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 15; i++) await client.appendToStream(`${prefix}-${i}`, events(1));
    }
    await until(() => count === 60);
    expect([...owners.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set([...owners.values()].flatMap((set) => [...set])).size).toBeGreaterThan(1);
    for (const subscription of consumers) await subscription.unsubscribe();
  });
});

describe('a group on $all', () => {
  test('delivers through its filter, from a position', async () => {
    const prefix = unique('all');
    const { position } = await client.appendToStream(prefix, events(1));
    await client.appendToStream(unique(), events(3));
    await client.appendToStream(prefix, events(2, 'Tested', 1));
    const group = unique('group');
    await client.createPersistentSubscriptionToAll(
      group,
      persistentSubscriptionToAllSettingsFromDefaults({ startFrom: position! }),
      { filter: streamNameFilter({ prefixes: [prefix] }) },
    );
    const subscription = client.subscribeToPersistentSubscriptionToAll(group);
    const seen = consume(subscription, (message) => subscription.ack(message));
    await until(() => seen.length === 3);
    await client.appendToStream(prefix, events(1, 'Tested', 3));
    await until(() => seen.length === 4);
    expect(seen.map(({ n }) => n)).toEqual([0, 1, 2, 3]);
    await subscription.unsubscribe();
  });
});

describe('checkpoints', () => {
  test('let a group go on where it was', async () => {
    const stream = await setUp(20, { checkPointLowerBound: 1, checkPointUpperBound: 5, checkPointAfter: 100 });
    const first = connect(stream);
    const seen = consume(first, (message) => (numberOf(message) < 10 ? first.ack(message) : Promise.resolve()));
    await until(() => seen.length === 20);
    await until(async () => (await info(stream)).stats.lastCheckpointedEventRevision === 9n);
    await first.unsubscribe();

    await client.restartPersistentSubscriptionSubsystem();
    const second = connect(stream);
    const again = consume(second, (message) => second.ack(message));
    await until(() => again.length === 10);
    expect(again.map(({ n }) => n)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    await second.unsubscribe();
  });

  test('survive an update, which drops the consumers', async () => {
    const stream = await setUp(5, { checkPointLowerBound: 1, checkPointUpperBound: 1 });
    const first = connect(stream);
    const seen: number[] = [];
    const dropped = failure(
      (async () => {
        for await (const message of first) {
          seen.push(numberOf(message));
          await first.ack(message);
        }
      })(),
    );
    await until(async () => (await info(stream)).stats.lastCheckpointedEventRevision === 4n);
    await client.updatePersistentSubscriptionToStream(stream, GROUP, settings({ startFrom: START }));
    expect(await dropped).toMatchObject({ type: ErrorType.PERSISTENT_SUBSCRIPTION_DROPPED });
    await client.appendToStream(stream, events(1, 'Tested', 5));
    const second = connect(stream);
    const again = consume(second, (message) => second.ack(message));
    await until(() => again.length === 1);
    expect(again[0]!.n).toBe(5);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
    await second.unsubscribe();
  });
});
