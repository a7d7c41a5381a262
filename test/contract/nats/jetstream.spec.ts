import { AckPolicy, DeliverPolicy, type JsMsg, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { nanos } from '@nats-io/transport-node';
import { server } from './harness';

const under = server();

/** A stream with `count` messages `0`, `1`, ... and a durable consumer that waits for acknowledgements. */
async function filled(count: number, consumer: { ackWaitMs?: number; maxDeliver?: number } = {}) {
  const stream = under.name('S');
  await under.manager.streams.add({ name: stream, subjects: [`${stream}.>`], storage: StorageType.File });
  for (let n = 0; n < count; n++) await under.js.publish(`${stream}.n`, String(n));
  await under.manager.consumers.add(stream, {
    durable_name: 'reader',
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(consumer.ackWaitMs ?? 30_000),
    max_deliver: consumer.maxDeliver ?? -1,
  });
  const reader = await under.js.consumers.get(stream, 'reader');
  return { stream, reader };
}

async function fetched(reader: Awaited<ReturnType<typeof filled>>['reader'], count: number, expires = 30_000) {
  const got: JsMsg[] = [];
  for await (const message of await reader.fetch({ max_messages: count, expires })) got.push(message);
  return got;
}

describe('streams', () => {
  it('are created, the same again is no error, another configuration of the same name is', async () => {
    const name = under.name('S');
    const config = { name, subjects: [`${name}.>`], storage: StorageType.File, max_age: nanos(3_600_000) };
    expect((await under.manager.streams.add(config)).config.max_age).toBe(nanos(3_600_000));
    await under.manager.streams.add(config);
    await expect(under.manager.streams.add({ ...config, subjects: [`${name}.other`] })).rejects.toThrow(/in use/);
  });

  it('are updated', async () => {
    const name = under.name('S');
    await under.manager.streams.add({ name, subjects: [`${name}.a`] });
    await under.manager.streams.update(name, { subjects: [`${name}.a`, `${name}.b`], max_msgs: 2 });
    for (const tail of ['a', 'b', 'b']) await under.js.publish(`${name}.${tail}`);
    expect((await under.manager.streams.info(name)).state).toMatchObject({ messages: 2, first_seq: 2, last_seq: 3 });
  });

  it('tell that they do not exist', async () => {
    await expect(under.manager.streams.info(under.name('S'))).rejects.toThrow(/not found/);
  });

  it('do not take overlapping subjects', async () => {
    const name = under.name('S');
    await under.manager.streams.add({ name, subjects: [`${name}.>`] });
    const overlapping = { name: under.name('S'), subjects: [`${name}.a`] };
    await expect(under.manager.streams.add(overlapping)).rejects.toThrow(/overlap/);
  });

  it('give single messages, the last by subject, and are purged by subject', async () => {
    const { stream } = await filled(3);
    await under.js.publish(`${stream}.other`, 'x');
    expect((await under.manager.streams.getMessage(stream, { seq: 2 }))?.string()).toBe('1');
    expect((await under.manager.streams.getMessage(stream, { last_by_subj: `${stream}.n` }))?.string()).toBe('2');
    expect((await under.manager.streams.purge(stream, { filter: `${stream}.n` })).purged).toBe(3);
    expect((await under.manager.streams.info(stream)).state.messages).toBe(1);
  });

  it('of a work queue forget what was acknowledged', async () => {
    const name = under.name('S');
    await under.manager.streams.add({ name, subjects: [name], retention: RetentionPolicy.Workqueue });
    await under.js.publish(name, 'job');
    await under.manager.consumers.add(name, { durable_name: 'worker', ack_policy: AckPolicy.Explicit });
    const worker = await under.js.consumers.get(name, 'worker');
    expect(await (await worker.next())!.ackAck()).toBe(true);
    expect((await under.manager.streams.info(name)).state.messages).toBe(0);
  });
});

describe('publishing', () => {
  it('acknowledges with stream and sequence', async () => {
    const { stream } = await filled(1);
    expect(await under.js.publish(`${stream}.n`, 'x')).toMatchObject({ stream, seq: 2, duplicate: false });
  });

  it('knows a message id again', async () => {
    const { stream } = await filled(0);
    await under.js.publish(`${stream}.n`, 'x', { msgID: 'event-1' });
    expect(await under.js.publish(`${stream}.n`, 'x', { msgID: 'event-1' })).toMatchObject({ seq: 1, duplicate: true });
    expect(await under.js.publish(`${stream}.n`, 'x', { msgID: 'event-2' })).toMatchObject({ seq: 2 });
    expect((await under.manager.streams.info(stream)).state.messages).toBe(2);
  });

  it('refuses what does not follow the expected sequence', async () => {
    const { stream } = await filled(2);
    await under.js.publish(`${stream}.n`, 'x', { expect: { lastSequence: 2 } });
    const late = under.js.publish(`${stream}.n`, 'x', { expect: { lastSequence: 2 } });
    await expect(late).rejects.toThrow(/wrong last sequence/);
  });

  it('fails where no stream listens', async () => {
    await expect(under.js.publish(under.name('nothing'), 'x', { timeout: 1_000 })).rejects.toThrow();
  });
});

describe('a durable consumer', () => {
  it('goes on after the last acknowledged message', async () => {
    const { stream, reader } = await filled(5);
    for (const message of await fetched(reader, 3)) expect(await message.ackAck()).toBe(true);
    const again = await under.js.consumers.get(stream, 'reader');
    const got = await fetched(again, 2);
    expect(got.map((message) => message.string())).toEqual(['3', '4']);
    expect(got[0]!.info).toMatchObject({ stream, consumer: 'reader', streamSequence: 4, deliveryCount: 1 });
  });

  it('is created again without effect, and updated', async () => {
    const { stream, reader } = await filled(1);
    const { config } = await reader.info();
    await under.manager.consumers.add(stream, config);
    await under.manager.consumers.update(stream, 'reader', { max_ack_pending: 7 });
    expect((await under.manager.consumers.info(stream, 'reader')).config.max_ack_pending).toBe(7);
  });

  it('gets again at once what it refused, and later with a delay', async () => {
    const { reader } = await filled(1);
    (await reader.next())!.nak();
    const second = (await reader.next())!;
    expect(second.info.deliveryCount).toBe(2);
    const refusedAt = Date.now();
    second.nak(150);
    expect((await reader.next())!.info.deliveryCount).toBe(3);
    expect(Date.now() - refusedAt).toBeGreaterThanOrEqual(140);
  });

  it('gets again what it did not acknowledge in time, unless it says that it is working', async () => {
    const { reader } = await filled(2, { ackWaitMs: 2_000 });
    const [slow, silent] = await fetched(reader, 2);
    const beat = setInterval(() => slow!.working(), 50);
    const again = (await reader.next({ expires: 30_000 }))!;
    clearInterval(beat);
    expect(again.string()).toBe(silent!.string());
    expect(again.info.deliveryCount).toBe(2);
    expect(await slow!.ackAck()).toBe(true);
  });

  it('never gets again what it terminated', async () => {
    const { reader } = await filled(2, { ackWaitMs: 1_500 });
    const [poison, good] = await fetched(reader, 2);
    poison!.term();
    await good!.ackAck();
    expect(await reader.next({ expires: 2_500 })).toBeNull();
    expect(await reader.info()).toMatchObject({ num_ack_pending: 0, num_pending: 0 });
  });

  it('gets a message as often as max_deliver says', async () => {
    const { reader } = await filled(1, { maxDeliver: 3 });
    for (const expected of [1, 2, 3]) {
      const message = (await reader.next())!;
      expect(message.info.deliveryCount).toBe(expected);
      message.nak();
    }
    expect(await reader.next({ expires: 1_000 })).toBeNull();
  });

  it('starts where its delivery policy says, and filters by subject', async () => {
    const { stream } = await filled(3);
    await under.js.publish(`${stream}.other`, 'wanted');
    const base = { ack_policy: AckPolicy.Explicit };
    const late = { ...base, durable_name: 'late', deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: 3 };
    await under.manager.consumers.add(stream, late);
    await under.manager.consumers.add(stream, { ...base, durable_name: 'one', filter_subject: `${stream}.other` });
    expect((await (await under.js.consumers.get(stream, 'late')).next())!.string()).toBe('2');
    expect((await (await under.js.consumers.get(stream, 'one')).next())!.string()).toBe('wanted');
  });

  it('takes no more at once than max_ack_pending', async () => {
    const { stream } = await filled(5);
    const durable = { durable_name: 'careful', ack_policy: AckPolicy.Explicit, max_ack_pending: 2 };
    await under.manager.consumers.add(stream, durable);
    const careful = await under.js.consumers.get(stream, 'careful');
    const got = await fetched(careful, 2);
    expect(await careful.next({ expires: 1_000 })).toBeNull();
    expect(got.map((message) => message.string())).toEqual(['0', '1']);
    await got[0]!.ackAck();
    expect((await careful.next())!.string()).toBe('2');
  });

  it('is consumed as an iterator: what was there, then what comes, until it is closed', async () => {
    const { stream, reader } = await filled(3);
    const messages = await reader.consume({ max_messages: 10 });
    const got: string[] = [];
    for await (const message of messages) {
      got.push(message.string());
      message.ack();
      if (got.length === 3) await under.js.publish(`${stream}.n`, 'live');
      if (message.string() === 'live') break;
    }
    expect(got).toEqual(['0', '1', '2', 'live']);
    await messages.close();
  });

  it('is shared: two readers divide the messages', async () => {
    const { stream, reader } = await filled(40);
    const other = await under.js.consumers.get(stream, 'reader');
    const [mine, theirs] = await Promise.all([fetched(reader, 20), fetched(other, 20)]);
    const all = [...mine, ...theirs].map((message) => message.info.streamSequence);
    expect(new Set(all).size).toBe(40);
  });

  it('is deleted', async () => {
    const { stream } = await filled(0);
    expect(await under.manager.consumers.delete(stream, 'reader')).toBe(true);
    await expect(under.manager.consumers.info(stream, 'reader')).rejects.toThrow(/not found/);
  });
});
