import type { Collection, Db, Filter } from 'mongodb';
import { type Document, type LogReader, readLog, type RecordedEvent, streamName } from '../../packages/eventsourcing';
import { REPORTING_LINES, reportingLinesDecider } from '../../packages/people';
import { mongoProjections } from '../../projections';
import { collectionOf } from '../../projections/mongo/collection';

/** An event as it is given out. */
export interface CopiedEvent {
  readonly stream: string;
  readonly revision: number;
  readonly type: string;
  readonly occurredAt: string;
  readonly recordedAt: string;
  readonly actor: string;
  readonly data: object;
}

/** Everything that Attest knows of one person. */
export interface PersonalCopy {
  readonly person: string;
  /** Documents about the person, by read model. */
  readonly documents: Readonly<Record<string, readonly object[]>>;
  /** Every event of the person's streams, stream by stream, and those about them in the reporting lines. */
  readonly events: readonly CopiedEvent[];
  /** Who looked at the person's records in the audit. */
  readonly auditReads: readonly CopiedEvent[];
}

/** Read models whose documents are about one stream each. */
const CATEGORIES: Readonly<Record<string, string>> = {
  enrollments: 'enrollment',
  attempts: 'attempt',
  notifications: 'notification',
};

/** Gathers the copy: documents from the read models, events from the log, stream by stream. */
export async function copyPersonalData(
  store: LogReader,
  db: Db,
  tenant: string,
  person: string,
): Promise<PersonalCopy> {
  const documents: Record<string, object[]> = {};
  const streams = [`${tenant}.person-${person}`, `${tenant}.privacy-${person}`];
  for (const projection of mongoProjections) {
    const filter = { tenant, $or: [{ _id: person }, { person }] } as Filter<Document>;
    const collection = (await collectionOf(db, projection)) as unknown as Collection<Document>;
    const found = await collection.find(filter).sort({ _id: 1 }).toArray();
    if (found.length === 0) continue;
    documents[projection.name] = found.map((document) => ({ ...document, position: undefined }));
    const category = CATEGORIES[projection.name];
    if (category) streams.push(...found.map(({ _id }) => `${tenant}.${category}-${_id}`));
  }
  const events: CopiedEvent[] = [];
  for (const stream of streams) for await (const event of store.readStream(stream)) events.push(copied(event));
  events.push(...(await reportingLinesOf(store, tenant, person)));
  return { person, documents, events, auditReads: await auditReadsOf(store, tenant, person) };
}

/** All people share this stream: whom else an event moves is left out. */
async function reportingLinesOf(store: LogReader, tenant: string, person: string): Promise<CopiedEvent[]> {
  const lines: CopiedEvent[] = [];
  for await (const event of store.readStream(streamName(tenant, reportingLinesDecider.category, REPORTING_LINES))) {
    const { person: one, people } = event.data as { person?: string; people?: readonly string[] };
    if (one === person) lines.push(copied(event));
    else if (people?.includes(person)) lines.push({ ...copied(event), data: { ...event.data, people: [person] } });
  }
  return lines;
}

/** What takes long of all this: the whole log is looked through. */
async function auditReadsOf(store: LogReader, tenant: string, person: string): Promise<CopiedEvent[]> {
  const reads: CopiedEvent[] = [];
  for await (const events of readLog(store, `${tenant}.auditlog-`, (await store.head()) ?? 0n)) {
    for (const event of events) {
      const { parameters } = event.data as { parameters?: Readonly<Record<string, string>> };
      if (Object.values(parameters ?? {}).includes(person)) reads.push(copied(event));
    }
  }
  return reads;
}

function copied({ stream, revision, type, metadata, recordedAt, data }: RecordedEvent): CopiedEvent {
  const { occurredAt, actor } = metadata;
  return { stream, revision, type, occurredAt, recordedAt, actor: actor.sub, data };
}
