/** What an acknowledgement is worth: the engine as a process of its own, killed under load and starved of disk. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  EventStoreDBClient,
  jsonEvent,
  persistentSubscriptionToStreamSettingsFromDefaults,
} from '@eventstore/db-client';
import { startEngineProcess } from '../../infra/embedded/child';
import { KILLS, killUnderLoad } from './kill-under-load';

const WRITERS = 16;

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'attest-eventstore-crash-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** What one writer was told: its stream, and how many batches of which size were acknowledged. */
interface Acknowledged {
  stream: string;
  size: number;
  batches: number;
}

test(`${KILLS} kills under load lose no acknowledged append and tear no batch`, async () => {
  let lost = 0;
  let torn = 0;
  let acknowledged = 0;
  let before: Acknowledged[] = [];
  for (let kill = 0; kill <= KILLS; kill++) {
    const engine = await startEngineProcess('eventstore', { dataDir, port: 0 });
    const client = EventStoreDBClient.connectionString(engine.url);
    for (const writer of before) {
      const stored = await readBatches(client, writer.stream);
      acknowledged += writer.batches;
      lost += Math.max(0, writer.batches - stored.whole(writer.size));
      torn += stored.torn(writer.size);
    }
    if (kill === KILLS) {
      await client.dispose();
      await engine.close();
      break;
    }
    const writers = Array.from({ length: WRITERS }, (_, i) => ({
      stream: `k${kill}-w${i}`,
      size: 1 + (i % 4) * 7,
      batches: 0,
    }));
    const writing = writers.map((writer) => write(client, writer));
    // Spread over the stages of a commit.
    const isEnough = () => writers.some(({ batches }) => batches > 1);
    await killUnderLoad(engine, kill, { first: 60, spread: 60 }, writing, isEnough);
    await client.dispose();
    before = writers;
  }
  expect({ lost, torn }).toEqual({ lost: 0, torn: 0 });
  expect(acknowledged).toBeGreaterThan(KILLS);
});

/** Appends batches until the engine is gone. */
async function write(client: EventStoreDBClient, writer: Acknowledged): Promise<void> {
  for (;;) {
    const batch = Array.from({ length: writer.size }, (_, i) =>
      jsonEvent({ type: 'Crashed', data: { batch: writer.batches, i, filler: 'x'.repeat(200) } }),
    );
    try {
      await client.appendToStream(writer.stream, batch);
    } catch {
      return; // Not acknowledged: it may be stored whole or not at all.
    }
    writer.batches++;
  }
}

async function readBatches(client: EventStoreDBClient, stream: string) {
  const sizes = new Map<number, number>();
  try {
    for await (const { event } of client.readStream(stream)) {
      const { batch } = event!.data as { batch: number };
      sizes.set(batch, (sizes.get(batch) ?? 0) + 1);
    }
  } catch (error) {
    if ((error as { type?: string }).type !== 'stream-not-found') throw error;
  }
  const counts = [...sizes.values()];
  return {
    whole: (size: number) => counts.filter((count) => count === size).length,
    torn: (size: number) => counts.filter((count) => count !== size).length,
  };
}

test('streams, deletions, metadata, groups and known ids are the same after a kill', async () => {
  const first = await startEngineProcess('eventstore', { dataDir, port: 0 });
  const client = EventStoreDBClient.connectionString(first.url);
  const event = (n: number) => jsonEvent({ type: 'T', data: { n } });
  for (const stream of ['live', 'deleted', 'tombstoned', 'truncated']) {
    await client.appendToStream(stream, [event(0), event(1), event(2)]);
  }
  await client.deleteStream('deleted');
  await client.tombstoneStream('tombstoned');
  await client.setStreamMetadata('truncated', { maxCount: 1 });
  const retried = [event(3), event(4)];
  const original = await client.appendToStream('live', retried);
  const settings = persistentSubscriptionToStreamSettingsFromDefaults({ startFrom: 'start', checkPointUpperBound: 1 });
  await client.createPersistentSubscriptionToStream('live', 'group', settings);
  const subscription = client.subscribeToPersistentSubscriptionToStream('live', 'group');
  for await (const message of subscription) {
    await subscription.ack(message);
    if (message.event?.revision === 2n) break;
  }
  const checkpoint = async (from: EventStoreDBClient) =>
    (await from.getPersistentSubscriptionToStreamInfo('live', 'group')).stats.lastCheckpointedEventRevision;
  while ((await checkpoint(client)) !== 2n) await new Promise(setImmediate);
  await first.kill();
  await client.dispose();

  const second = await startEngineProcess('eventstore', { dataDir, port: 0 });
  const again = EventStoreDBClient.connectionString(second.url);
  const read = async (stream: string): Promise<unknown> => {
    try {
      const seen: number[] = [];
      for await (const { event } of again.readStream(stream)) seen.push((event!.data as { n: number }).n);
      return seen;
    } catch (error) {
      return (error as { type: string }).type;
    }
  };
  expect(await read('live')).toEqual([0, 1, 2, 3, 4]);
  expect(await read('deleted')).toBe('stream-not-found');
  expect(await read('tombstoned')).toBe('stream-deleted');
  expect(await read('truncated')).toEqual([2]);
  const repeated = await again.appendToStream('live', retried);
  expect(repeated).toMatchObject({ nextExpectedRevision: 4n, position: original.position });
  expect((await again.appendToStream('deleted', event(3))).nextExpectedRevision).toBe(3n);
  expect(await checkpoint(again)).toBe(2n);
  await again.dispose();
  await second.close();
});

test('a full disk fails the append, stores nothing of it, and ends writing until the restart', async () => {
  const main = join(__dirname, '../../dist/infra/embedded/main.js');
  // A file size limit stands in for a full disk: the write system call fails in the same place.
  const command = `ulimit -f 4096; exec "${process.execPath}" "${main}" eventstore --data "${dataDir}"`;
  const limited = spawn('bash', ['-c', command], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [line] = (await once(limited.stdout, 'data')) as [Buffer];
  const { url } = JSON.parse(line.toString()) as { url: string };
  const client = EventStoreDBClient.connectionString(url);
  let acknowledged = 0;
  let failure: { type?: string; message?: string } | undefined;
  while (!failure) {
    await client
      .appendToStream('filling', jsonEvent({ type: 'Filled', data: { filler: 'x'.repeat(100_000) } }))
      .then(() => acknowledged++)
      .catch((error: unknown) => (failure = error as typeof failure));
  }
  expect(failure).toMatchObject({ type: 'unavailable' });
  expect(failure.message).toMatch(/The disk refused a write/);
  const readable: unknown[] = [];
  for await (const { event } of client.readStream('filling')) readable.push(event!.revision);
  expect(readable).toHaveLength(acknowledged);
  await client.dispose();
  limited.kill('SIGTERM');
  await once(limited, 'exit');

  const engine = await startEngineProcess('eventstore', { dataDir, port: 0 });
  const again = EventStoreDBClient.connectionString(engine.url);
  const next = await again.appendToStream('filling', jsonEvent({ type: 'Filled', data: {} }));
  expect(next.nextExpectedRevision).toBe(BigInt(acknowledged));
  await again.dispose();
  await engine.close();
});
