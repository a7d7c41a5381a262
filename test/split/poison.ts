import { randomUUID } from 'node:crypto';
import { EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { MongoClient } from 'mongodb';
import { Parked, type ParkedDocument } from '../../infra/mongo';
import { CHAIN_START, chainHash } from '../../packages/eventsourcing';
import type { SplitStack } from './split-stack';

/** Appends the grade of an attempt that nobody recorded: no read model of attempts can apply it. Gives its position. */
export async function appendPoison(stack: SplitStack, tenant: string): Promise<string> {
  const [id, attempt, type] = [randomUUID(), randomUUID(), 'AttemptGraded'];
  const grade = { raw: 50, min: 0, max: 100, passMark: 40, scaled: 0.5, passed: true };
  const data = { attempt, person: randomUUID(), course: 'safety', assessment: 'quiz', grade };
  const metadata = {
    schema: 1,
    tenant,
    actor: { sub: 'admin', roles: ['admin'], via: 'http' },
    commandId: id,
    $correlationId: id,
    $causationId: id,
    occurredAt: new Date().toISOString(),
  };
  const hash = chainHash(CHAIN_START, { id, type, data, metadata });
  const client = EventStoreDBClient.connectionString(stack.url('eventstore'));
  try {
    const event = jsonEvent({ id, type, data, metadata: { ...metadata, hash } });
    const { position } = await client.appendToStream(`${tenant}.attempt-${attempt}`, event);
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
