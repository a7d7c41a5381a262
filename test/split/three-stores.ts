/** What the three stores hold of a tenant, asked of each directly. */
import { createClient } from '@clickhouse/client';
import { BACKWARDS, END, EventStoreDBClient } from '@eventstore/db-client';
import { type Collection, MongoClient } from 'mongodb';
import { Checkpoints } from '../../infra/mongo';
import type { AnyProjection, Document } from '../../packages/eventsourcing';
import { collectionOf } from '../../projections/mongo/collection';
import type { SplitStack } from './split-stack';

/** An event as the log has it. */
export interface LoggedEvent {
  readonly position: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Every event of the tenant from this position on, in order. */
export async function eventsInTheLog(stack: SplitStack, tenant: string, from: string): Promise<LoggedEvent[]> {
  const store = EventStoreDBClient.connectionString(stack.url('eventstore'));
  const fromPosition = { commit: BigInt(from), prepare: BigInt(from) };
  const events: LoggedEvent[] = [];
  try {
    for await (const { event } of store.readAll({ fromPosition })) {
      if (!event?.streamId.startsWith(`${tenant}.`)) continue;
      const { position, type, data } = event;
      events.push({ position: position.commit.toString(), type, data: data as LoggedEvent['data'] });
    }
  } finally {
    await store.dispose();
  }
  return events;
}

/** Position of every row of the tenant in the landing table, in order, with whatever stands there twice. */
export async function positionsInTheWarehouse(stack: SplitStack, tenant: string): Promise<string[]> {
  const warehouse = createClient({ url: stack.url('clickhouse') });
  try {
    const query = 'SELECT toString(position) FROM events WHERE tenant = {tenant:String} ORDER BY events.position';
    const answer = await warehouse.query({ query, query_params: { tenant }, format: 'TabSeparated' });
    return (await answer.text()).split('\n').filter((line) => line !== '');
  } finally {
    await warehouse.close();
  }
}

/** Id of every document of the tenant in a read model, in order. */
export async function idsInReadModel(stack: SplitStack, tenant: string, readModel: AnyProjection): Promise<string[]> {
  const client = new MongoClient(stack.url('mongodb'));
  try {
    const collection = (await collectionOf(client.db(), readModel)) as unknown as Collection<Document>;
    return (await collection.find({ tenant }).sort({ _id: 1 }).toArray()).map(({ _id }) => _id);
  } finally {
    await client.close();
  }
}

/** How far a store has come, asked of it directly: the last event of the log, landed in the warehouse, or in every read model. */
export async function positionOf(stack: SplitStack, store: 'eventstore' | 'mongodb' | 'clickhouse'): Promise<bigint> {
  switch (store) {
    case 'eventstore': {
      const client = EventStoreDBClient.connectionString(stack.url('eventstore'));
      try {
        let last = 0n;
        for await (const { event } of client.readAll({ direction: BACKWARDS, fromPosition: END, maxCount: 1 })) {
          last = event?.position?.commit ?? last;
        }
        return last;
      } finally {
        await client.dispose();
      }
    }
    case 'mongodb': {
      const client = new MongoClient(stack.url('mongodb'));
      try {
        return await new Checkpoints(client.db()).read('mongo');
      } finally {
        await client.close();
      }
    }
    case 'clickhouse': {
      const client = createClient({ url: stack.url('clickhouse') });
      try {
        const answer = await client.query({ query: 'SELECT max(position) FROM events', format: 'TabSeparated' });
        return BigInt((await answer.text()).trim());
      } finally {
        await client.close();
      }
    }
  }
}
