import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent, type JSONType } from '@eventstore/db-client';
import { MongoClient } from 'mongodb';
import { Parked, type ParkedDocument } from '../../infra/mongo';
import { CHAIN_START, chainHash } from '../../packages/eventsourcing';
import { foreignMetadata } from './foreign-metadata';
import type { SplitStack } from './split-stack';

/** What an event is made of whose data nobody can read. */
export interface Poison {
  readonly type: string;
  readonly data: object | null;
  readonly occurredAt?: string;
}

/** The grade of an attempt that nobody recorded: no read model of attempts can apply it. */
function gradeOfNothing(): Poison {
  const grade = { raw: 50, min: 0, max: 100, passMark: 40, scaled: 0.5, passed: true };
  const data = { attempt: randomUUID(), person: randomUUID(), course: 'safety', assessment: 'quiz', grade };
  return { type: 'AttemptGraded', data };
}

/** Appends an event that cannot be applied. Gives its position. */
export async function appendPoison(
  stack: Pick<SplitStack, 'url'>,
  tenant: string,
  { type, data, occurredAt = new Date().toISOString() } = gradeOfNothing(),
): Promise<string> {
  const id = randomUUID();
  const metadata = foreignMetadata(tenant, id, occurredAt);
  const hash = chainHash(CHAIN_START, { id, type, data: data as object, metadata });
  const client = EventStoreDBClient.connectionString(stack.url('eventstore'));
  try {
    const event = jsonEvent({ id, type, data: data as JSONType, metadata: { ...metadata, hash } });
    const { position } = await client.appendToStream(`${tenant}.attempt-${id}`, event);
    return position!.commit.toString();
  } finally {
    await client.dispose();
  }
}

/** What was parked at this position. */
export async function parkedAt(stack: SplitStack, position: string): Promise<ParkedDocument[]> {
  const client = new MongoClient(stack.url('mongodb'));
  try {
    return (await new Parked(client.db()).list()).filter((parked) => parked.position === position);
  } finally {
    await client.close();
  }
}
