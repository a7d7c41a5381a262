/** What the engine does with folders and ports that are not its own, and with a folder that has grown large. */
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { startEngineProcess } from '../child';
import { EngineStartError } from '../engine';
import { anonymousMemory, processorSeconds } from '../process-usage';
import { startEventStore } from '.';
import { openDataFolder } from './storage/data-folder';
import { StreamHeads } from './storage/head';
import { Writer } from './storage/writer';

/** In each of 10,000 streams. */
const EVENTS_PER_STREAM = process.env.ATTEST_TEST_FULL_SIZE ? 100 : 10;
/** Of them, how many are appended to afterwards. */
const TOUCHED = process.env.ATTEST_TEST_FULL_SIZE ? 5_000 : 1_500;

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'attest-eventstore-folder-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

/** Names, sizes and contents of a folder, to see that nothing was touched. */
const snapshot = (folder: string): string[] =>
  readdirSync(folder).map((name) => {
    const { size, mtimeMs } = statSync(join(folder, name));
    return `${name} ${size} ${mtimeMs} ${readFileSync(join(folder, name)).subarray(0, 64).toString('hex')}`;
  });

async function refusal(port = 0): Promise<EngineStartError> {
  const error = await startEventStore({ dataDir, port }).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(EngineStartError);
  expect((error as Error).message).toMatch(/^[A-Z][^\n]+\.$/);
  return error as EngineStartError;
}

/** A folder that the engine has used and left. */
async function used(): Promise<void> {
  const engine = await startEventStore({ dataDir, port: 0 });
  const client = EventStoreDBClient.connectionString(engine.url);
  for (let i = 0; i < 20; i++) await client.appendToStream('s', jsonEvent({ type: 'T', data: 'x'.repeat(5000) }));
  await client.dispose();
  await engine.close();
}

test('a folder with files of someone else is refused and left alone', async () => {
  writeFileSync(join(dataDir, 'data.mdb'), 'something else');
  const before = snapshot(dataDir);
  expect((await refusal()).message).toMatch(/not of the embedded EventStoreDB/);
  expect(snapshot(dataDir)).toEqual(before);
});

test.each([
  ['no JSON', 'hello', /not one of the embedded EventStoreDB/],
  ['another format', '{"format":"mongo","version":1}', /not one of the embedded EventStoreDB/],
  ['a later version', '{"format":"attest-eventstore","version":9,"ready":true}', /format 9/],
])('a marker with %s is refused', async (_what, content, message) => {
  await used();
  writeFileSync(join(dataDir, 'format.json'), content);
  const before = snapshot(dataDir);
  expect((await refusal()).message).toMatch(message);
  expect(snapshot(dataDir)).toEqual(before);
});

test.each([
  ['emptied', () => 0],
  ['cut to a few bytes', () => 100],
  ['cut to one page', () => 4096],
  ['cut in half', (size: number) => Math.floor(size / 2)],
  ['cut by one byte', (size: number) => size - 1],
])('a data file that was %s is refused', async (_what, cut) => {
  await used();
  const file = join(dataDir, 'events.mdb');
  truncateSync(file, cut(statSync(file).size));
  const before = snapshot(dataDir);
  expect((await refusal()).message).toMatch(/is damaged: events\.mdb/);
  expect(snapshot(dataDir)).toEqual(before);
});

test('a data file that is missing or not LMDB is refused', async () => {
  await used();
  const file = join(dataDir, 'events.mdb');
  writeFileSync(file, Buffer.alloc(100_000, 'nonsense'));
  expect((await refusal()).message).toMatch(/not an LMDB file/);
  await rm(file);
  expect((await refusal()).message).toMatch(/events\.mdb is missing/);
});

test('a folder is used by one engine at a time, in this process or another', async () => {
  const engine = await startEngineProcess('eventstore', { dataDir, port: 0 });
  expect((await refusal()).message).toMatch(/in use by another process/);
  await expect(startEngineProcess('eventstore', { dataDir, port: 0 })).rejects.toThrow(/in use by another process/);
  await engine.kill();
  const here = await startEventStore({ dataDir, port: 0 });
  expect((await refusal()).message).toMatch(/in use by another process/);
  await here.close();
});

test('a lock of a process that is gone does not keep the folder', async () => {
  await used();
  writeFileSync(join(dataDir, 'engine.lock'), JSON.stringify({ pid: process.pid, started: '1' }));
  await used();
  writeFileSync(join(dataDir, 'engine.lock'), 'cut off');
  await used();
});

test('a start that was killed before the folder was ready is taken up again', async () => {
  writeFileSync(join(dataDir, 'format.json'), '{"format":"attest-eventstore","version":1,"ready":false}');
  writeFileSync(join(dataDir, 'events.mdb'), 'half made');
  await used();
});

test('a port in use is one clear sentence, and the folder stays empty', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  expect((await refusal(port)).message).toBe(
    `Port ${port} on 127.0.0.1 is in use: stop the other program or choose another port.`,
  );
  expect(readdirSync(dataDir)).toEqual([]);
  await new Promise((resolve) => other.close(resolve));
});

test('a folder that cannot be made is one clear sentence', async () => {
  writeFileSync(join(dataDir, 'file'), '');
  const inside = { dataDir: join(dataDir, 'file', 'sub'), port: 0 };
  await expect(startEventStore(inside)).rejects.toThrow(/cannot be made/);
  await mkdir(join(dataDir, 'deep', 'down'), { recursive: true });
});

test('a large folder starts in under 2 s after a crash, with memory that does not grow with its events', async () => {
  const events = 10_000 * EVENTS_PER_STREAM;
  const folder = openDataFolder(dataDir);
  const writer = new Writer(folder.store, new StreamHeads(folder.store));
  const empty = Buffer.alloc(0);
  const id = randomUUID().slice(8);
  for (let n = 0; n < events;) {
    const appends = Array.from({ length: 10_000 / EVENTS_PER_STREAM }, () => {
      const batch = Array.from({ length: EVENTS_PER_STREAM }, () => ({
        id: (n++).toString(16).padStart(8, '0') + id,
        type: 'T',
        contentType: 'application/json',
        customMetadata: empty,
        data: empty,
      }));
      return writer.append(`s-${n / EVENTS_PER_STREAM}`, -2, batch);
    });
    await Promise.all(appends);
  }
  await folder.close();

  const first = await startEngineProcess('eventstore', { dataDir, port: 0 });
  const client = EventStoreDBClient.connectionString(first.url);
  await client.appendToStream('s-1', jsonEvent({ type: 'T', data: {} }));
  await first.kill();
  await client.dispose();

  const engine = await startEngineProcess('eventstore', { dataDir, port: 0 });
  const again = EventStoreDBClient.connectionString(engine.url);
  const appended = await again.appendToStream('s-9999', jsonEvent({ type: 'T', data: {} }));
  expect(processorSeconds(engine.process.pid!)).toBeLessThan(2);
  expect(appended.nextExpectedRevision).toBe(BigInt(EVENTS_PER_STREAM));
  // Touch as many streams as possible: heads are kept for a bounded number of them only.
  await Promise.all(
    Array.from({ length: TOUCHED }, (_, i) => again.appendToStream(`s-${i + 1}`, jsonEvent({ type: 'T', data: {} }))),
  );
  expect(anonymousMemory(engine.process.pid!)).toBeLessThan(300 * 1024 * 1024);
  await again.dispose();
  await engine.close();
});
