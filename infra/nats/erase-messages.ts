import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

const AT_ONCE = 500;
/** How long the server may take for the next messages, in milliseconds. */
const EXPIRES = 5_000;

/**
 * Removes the messages of a stream that the test is true for, and overwrites them in the server's files. Reads the stream from its
 * beginning up to its end at the time of the call.
 * @param filter subject of the messages to look at
 * @returns how many were removed; undefined when there is no such stream
 */
export async function eraseMessages(
  nats: NatsConnection,
  stream: string,
  filter: string,
  isMeant: (message: { subject: string; data: Uint8Array }) => boolean,
): Promise<number | undefined> {
  const manager = await jetstreamManager(nats);
  const info = await manager.streams.info(stream).catch((error: Error) => {
    if (error.message.includes('stream not found')) return undefined;
    throw error;
  });
  if (!info) return undefined;
  const { name } = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    deliver_policy: DeliverPolicy.All,
    filter_subject: filter,
    mem_storage: true,
    inactive_threshold: 60_000 * 1_000_000,
  });
  const consumer = await jetstream(nats).consumers.get(stream, name);
  let { num_pending: left } = await consumer.info();
  const meant: number[] = [];
  while (left > 0) {
    const before = left;
    for await (const message of await consumer.fetch({ max_messages: Math.min(AT_ONCE, left), expires: EXPIRES })) {
      left--;
      if (isMeant(message)) meant.push(message.seq);
    }
    if (left === before) throw new Error(`the stream ${stream} does not give its messages`);
  }
  await consumer.delete();
  for (const seq of meant) await manager.streams.deleteMessage(stream, seq, true);
  return meant.length;
}
