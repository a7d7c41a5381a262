import { randomUUID } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { type RecordedEvent, WrongExpectedRevisionError } from '../../../packages/eventsourcing';
import { until } from '../../e2e/until';
import { attestStore, newEvent, newTenant } from './attest-store';

const context = attestStore();

async function collect(source: AsyncIterable<RecordedEvent>): Promise<RecordedEvent[]> {
  const events = [];
  for await (const event of source) events.push(event);
  return events;
}

/** Everything that a tenant has in the log, up to its present end. */
async function caughtUp(tenant: string, after?: bigint): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const batch of context.store.subscribeToAll({ streamPrefix: `${tenant}.`, after })) {
    events.push(...batch.events);
    if (batch.caughtUp) break;
  }
  return events;
}

describe('the event store', () => {
  it('gives back what was appended', async () => {
    const tenant = newTenant();
    const event = newEvent(tenant, 'EnrollmentFailed', { course: 'a', result: 'Ä' });
    const { revision, position } = await context.store.append(`${tenant}.enrollment-a`, [event], 'no-stream');
    expect(revision).toBe(0);
    expect(await collect(context.store.readStream(`${tenant}.enrollment-a`))).toEqual([
      {
        ...event,
        stream: `${tenant}.enrollment-a`,
        revision: 0,
        position,
        recordedAt: expect.stringMatching(/Z$/) as string,
      },
    ]);
  });

  it('has nothing of a stream that was never written', async () => {
    expect(await collect(context.store.readStream(`${newTenant()}.course-a`))).toEqual([]);
  });

  it('refuses an append at the wrong revision, and takes the same append again', async () => {
    const tenant = newTenant();
    const stream = `${tenant}.course-a`;
    const first = newEvent(tenant, 'CoursePublished', { n: 1 });
    const second = newEvent(tenant, 'CoursePublished', { n: 2 });
    const appended = await context.store.append(stream, [first], 'no-stream');
    await expect(context.store.append(stream, [second], 'no-stream')).rejects.toBeInstanceOf(
      WrongExpectedRevisionError,
    );
    await expect(context.store.append(stream, [second], 7)).rejects.toBeInstanceOf(WrongExpectedRevisionError);
    expect(await context.store.append(stream, [first], 'no-stream')).toEqual(appended);
    await context.store.append(stream, [second], 0);
    expect((await collect(context.store.readStream(stream))).map(({ id }) => id)).toEqual([first.id, second.id]);
  });

  it('reads one tenant in log order and goes on where it stopped', async () => {
    const [tenant, other] = [newTenant(), newTenant()];
    for (let i = 0; i < 30; i++) {
      await context.store.append(`${tenant}.course-${i}`, [newEvent(tenant, 'CoursePublished', { i })], 'no-stream');
      await context.store.append(`${other}.course-${i}`, [newEvent(other, 'CoursePublished', { i })], 'no-stream');
    }
    const all = await caughtUp(tenant);
    expect(all.map(({ data }) => (data as { i: number }).i)).toEqual(Array.from({ length: 30 }, (_, i) => i));
    expect((await caughtUp(tenant, all[9]!.position)).map(({ id }) => id)).toEqual(all.slice(10).map(({ id }) => id));
  });

  it('tells at once that an empty part of the log is read', async () => {
    expect(await caughtUp(newTenant())).toEqual([]);
  });

  it('leaves out what Attest did not write', async () => {
    const tenant = newTenant();
    await context.server.client.appendToStream(`${tenant}.course-foreign`, [jsonEvent({ type: 'Foreign', data: {} })]);
    const ours = newEvent(tenant, 'CoursePublished', {});
    await context.store.append(`${tenant}.course-ours`, [ours], 'no-stream');
    expect((await caughtUp(tenant)).map(({ id }) => id)).toEqual([ours.id]);
  });

  it('delivers live, gathers what comes while the reader is busy, and ends when told', async () => {
    const tenant = newTenant();
    const stopping = new AbortController();
    const sizes: number[] = [];
    const seen: string[] = [];
    const appended: string[] = [];
    const append = async (n: number) => {
      const event = newEvent(tenant, 'CoursePublished', { n });
      appended.push(event.id);
      await context.store.append(`${tenant}.course-live`, [event], n === 0 ? 'no-stream' : n - 1);
    };
    for await (const { events } of context.store.subscribeToAll({
      streamPrefix: `${tenant}.`,
      signal: stopping.signal,
    })) {
      seen.push(...events.map(({ id }) => id));
      sizes.push(events.length);
      if (appended.length === 0) for (let n = 0; n < 20; n++) await append(n);
      if (seen.length === 20) stopping.abort();
    }
    expect(seen).toEqual(appended);
    expect(Math.max(...sizes)).toBeGreaterThan(1);
  });

  it('never gives more than a batch may hold', async () => {
    const tenant = newTenant();
    const events = Array.from({ length: 250 }, (_, n) => newEvent(tenant, 'CoursePublished', { n }));
    await context.store.append(`${tenant}.course-large`, events, 'no-stream');
    const seen: number[] = [];
    for await (const batch of context.store.subscribeToAll({ streamPrefix: `${tenant}.`, maxBatch: 32 })) {
      expect(batch.events.length).toBeLessThanOrEqual(32);
      seen.push(...batch.events.map(({ revision }) => revision));
      if (batch.caughtUp) break;
    }
    expect(seen).toEqual(events.map((_, n) => n));
  });

  it('gives all who stay at the end of the log each event once, in order, by one subscription, however slow one of them is', async () => {
    const tenant = newTenant();
    const subscribing = jest.spyOn(EventStoreDBClient.prototype, 'subscribeToAll');
    const stopping = new AbortController();
    const { signal } = stopping;
    const appended: string[] = [];
    const append = async (n: number) => {
      const events = Array.from({ length: n }, (_, i) => newEvent(tenant, 'CoursePublished', { i }));
      await context.store.append(`${tenant}.course-${randomUUID()}`, events, 'no-stream');
      appended.push(...events.map(({ id }) => id));
    };
    const first = newEvent(tenant, 'CoursePublished', {});
    const { position: after } = await context.store.append(`${tenant}.course-first`, [first], 'no-stream');
    const released = new EventEmitter();
    const follow = async (seen: string[], maxBatch: number, isHeld = () => false) => {
      for await (const { events } of context.store.subscribeToAll({ after, maxBatch, signal })) {
        seen.push(...events.filter(({ metadata }) => metadata.tenant === tenant).map(({ id }) => id));
        if (isHeld()) await once(released, 'go');
      }
    };
    let hold = false;
    const seen: [quick: string[], other: string[], slow: string[]] = [[], [], []];
    const following = [follow(seen[0], 1_000), follow(seen[1], 1_000), follow(seen[2], 20, () => hold)];
    const allHaveSeenAll = () => until(() => seen.every(({ length }) => length === appended.length));
    try {
      // The first event that comes while they stay lets them join.
      for (let n = 0; n < 3; n++) {
        await allHaveSeenAll();
        await append(1);
      }
      await allHaveSeenAll();
      expect(subscribing).toHaveBeenCalledTimes(3 + 1);
      hold = true;
      await append(1);
      await allHaveSeenAll();
      for (let n = 0; n < 5; n++) await append(20);
      await until(() => seen[0].length === appended.length && seen[1].length === appended.length);
      expect(subscribing).toHaveBeenCalledTimes(3 + 1);
      hold = false;
      released.emit('go');
      await allHaveSeenAll();
      expect(subscribing.mock.calls.length).toBeGreaterThan(3 + 1);
      await append(1);
      await allHaveSeenAll();
      for (const each of seen) expect(each).toEqual(appended);
    } finally {
      stopping.abort();
      await Promise.all(following);
      subscribing.mockRestore();
    }
  });

  it('reads the log once by one subscription, which nobody shares', async () => {
    const tenant = newTenant();
    const [first, second] = [newEvent(tenant, 'CoursePublished', {}), newEvent(tenant, 'CoursePublished', {})];
    const { position: after } = await context.store.append(`${tenant}.course-first`, [first], 'no-stream');
    await context.store.append(`${tenant}.course-second`, [second], 'no-stream');
    const subscribing = jest.spyOn(EventStoreDBClient.prototype, 'subscribeToAll');
    try {
      const seen: string[] = [];
      for await (const { events, caughtUp: isEnd } of context.store.subscribeToAll({ after })) {
        seen.push(...events.map(({ id }) => id));
        if (isEnd) break;
      }
      expect(seen).toContain(second.id);
      expect(subscribing).toHaveBeenCalledTimes(1);
    } finally {
      subscribing.mockRestore();
    }
  });

  it('knows the end of the log', async () => {
    const tenant = newTenant();
    const { position } = await context.store.append(
      `${tenant}.course-a`,
      [newEvent(tenant, 'CoursePublished', {})],
      'no-stream',
    );
    expect(await context.store.head()).toBeGreaterThanOrEqual(position);
  });

  it('takes for the end only what readers of the history are given', async () => {
    const tenant = newTenant();
    const ours = newEvent(tenant, 'CoursePublished', {});
    const { position } = await context.store.append(`${tenant}.course-a`, [ours], 'no-stream');
    await context.store.append(
      `${tenant}.seals-log`,
      [{ ...ours, id: randomUUID(), metadata: { tenant } }],
      'no-stream',
    );
    expect(await context.store.head()).toBe(position);
    expect(await context.store.backlog(position)).toEqual({ events: 0, since: null });
  });
});
