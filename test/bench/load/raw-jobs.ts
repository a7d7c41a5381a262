/** What is measured without Attest: the official clients on the same engines. */
import { randomUUID } from 'node:crypto';
import { createClient } from '@clickhouse/client';
import { EventStoreDBClient, FORWARDS, jsonEvent, NO_STREAM, START } from '@eventstore/db-client';
import { MongoClient } from 'mongodb';
import { CHAIN_START, chainHash } from '../../../packages/eventsourcing';
import { foreignMetadata } from '../../split/foreign-metadata';
import type { JobResult, RawAppendsJob, RawDocumentsJob, RawReadsJob, RawRowsJob } from './job';
import { Record } from './record';

const DOCUMENTS = 1_000;
const ROWS = 20_000;

export async function rawAppends({ url, tenant, inFlight, seconds }: RawAppendsJob): Promise<JobResult> {
  const client = EventStoreDBClient.connectionString(url);
  const record = new Record(seconds);
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (record.goesOn) {
        const since = performance.now();
        const { stream, event } = recordedAttempt(tenant);
        await client.appendToStream(stream, event, { expectedRevision: NO_STREAM });
        record.success(since);
      }
    }),
  );
  void client.dispose(); // its end never comes, see infra/eventstore
  return record.result();
}

const EXAMPLE_HASH = chainHash(CHAIN_START, { id: '', type: '', data: {}, metadata: {} as never });

/** The event that `record-attempt` leads to, as Attest writes it. */
function recordedAttempt(tenant: string) {
  const [id, attemptId] = [randomUUID(), randomUUID()];
  const grade = { raw: 50, min: 0, max: 100, passMark: 40, scaled: 0.5, passed: true };
  const ids = { attempt: attemptId, person: randomUUID(), course: 'safety' };
  const metadata = { ...foreignMetadata(tenant, id, new Date().toISOString()), hash: EXAMPLE_HASH };
  const data = { ...ids, assessment: 'quiz', banked: false, grade };
  return {
    stream: `${tenant}.attempt-${attemptId}`,
    event: jsonEvent({ id, type: 'AttemptRecorded', data, metadata }),
  };
}

export async function rawReads({ url }: RawReadsJob): Promise<JobResult> {
  const client = EventStoreDBClient.connectionString(url);
  const record = new Record();
  let since = performance.now();
  for await (const { event } of client.readAll({ direction: FORWARDS, fromPosition: START })) {
    if (!event || event.type.startsWith('$')) continue;
    record.success(since);
    since = performance.now();
  }
  void client.dispose(); // its end never comes, see infra/eventstore
  return record.result();
}

export async function rawDocuments({ url, collections }: RawDocumentsJob): Promise<JobResult> {
  const client = new MongoClient(url);
  const db = client.db();
  const copies = await Promise.all(
    collections.map(async (name) => ({ name: `raw_${name}`, documents: await db.collection(name).find().toArray() })),
  );
  const record = new Record();
  for (const { name, documents } of copies) {
    for (let from = 0; from < documents.length; from += DOCUMENTS) {
      const since = performance.now();
      const batch = documents.slice(from, from + DOCUMENTS);
      await db.collection(name).insertMany(batch, { ordered: false });
      record.success(since, batch.length);
    }
  }
  const result = record.result();
  for (const { name } of copies) await db.collection(name).drop();
  await client.close();
  return result;
}

export async function rawRows({ url }: RawRowsJob): Promise<JobResult> {
  const client = createClient({ url });
  await client.command({ query: 'CREATE TABLE raw_events AS events' });
  const answer = await client.query({ query: 'SELECT * FROM events ORDER BY position', format: 'JSONEachRow' });
  const rows = await answer.json<object>();
  const record = new Record();
  for (let from = 0; from < rows.length; from += ROWS) {
    const since = performance.now();
    const values = rows.slice(from, from + ROWS);
    await client.insert({ table: 'raw_events', values, format: 'JSONEachRow' });
    record.success(since, values.length);
  }
  const result = record.result();
  await client.command({ query: 'DROP TABLE raw_events' });
  await client.close();
  return result;
}
