/**
 * The server under contract: a real EventStoreDB when ATTEST_TEST_EVENTSTORE_URL names one (insecure, single node, empty or
 * not), otherwise the embedded engine in this process. Streams have unique names, so nothing has to be cleaned.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, jsonEvent, type JSONEventType, type ResolvedEvent } from '@eventstore/db-client';
import { startEventStore } from '../../../infra/embedded/eventstore';

export interface Contract {
  url: string;
  client: EventStoreDBClient;
  /** Of the embedded engine. */
  dataDir?: string;
  /** Gives back everything that `useServer` took. */
  close(): Promise<void>;
}

/** Connects to the server under contract, starting the embedded engine on a temporary folder when there is no other. */
export async function useServer(): Promise<Contract> {
  const given = process.env.ATTEST_TEST_EVENTSTORE_URL;
  if (given) {
    const client = EventStoreDBClient.connectionString(given);
    return { url: given, client, close: () => client.dispose() };
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'attest-eventstore-'));
  const engine = await startEventStore({ dataDir, port: 0 });
  const client = EventStoreDBClient.connectionString(engine.url);
  return {
    url: engine.url,
    client,
    dataDir,
    async close() {
      await client.dispose();
      await engine.close();
      await rm(dataDir, { recursive: true });
    },
  };
}

/** A stream name that no other test uses. */
export const unique = (prefix = 'stream'): string => `${prefix}-${randomUUID()}`;

export type TestEvent = JSONEventType<string, { n: number }>;

/** Events of one type, numbered from 0. */
export const events = (count: number, type = 'Tested', from = 0): ReturnType<typeof jsonEvent<TestEvent>>[] =>
  Array.from({ length: count }, (_, i) => jsonEvent<TestEvent>({ type, data: { n: from + i } }));

/** All that an iterable yields, up to a number of items. */
export async function collect<T>(source: AsyncIterable<T>, limit = Infinity): Promise<T[]> {
  const items: T[] = [];
  if (limit === 0) return items;
  for await (const item of source) if (items.push(item) >= limit) break;
  return items;
}

/** What a call fails with. */
export async function failure(call: Promise<unknown>): Promise<Record<string, unknown>> {
  return call.then(
    () => {
      throw new Error('The call should have failed');
    },
    (error: unknown) => error as Record<string, unknown>,
  );
}

/** `n` of the payload, for events made by `events`. */
export const numbers = (resolved: { event?: { data: unknown } | undefined }[]): number[] =>
  resolved.map(({ event }) => (event?.data as { n: number }).n);

export const revisions = (resolved: ResolvedEvent[]): (bigint | undefined)[] =>
  resolved.map(({ event }) => event?.revision);

/** Resolves when the condition holds, looking again after every turn that may change it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}
