import { randomUUID } from 'node:crypto';
import { eventCatalog } from '../../../apps/shared/event-catalog';
import { EventStoreDb } from '../../../infra/eventstore';
import { LocalMasterKeys } from '../../../infra/keys';
import { CHAIN_START, type CommandContext, type NewEvent } from '../../../packages/eventsourcing';
import { type Contract, useServer } from '../eventstore/harness';

/** Attest's own adapter on the server under contract. */
export interface AttestStore {
  store: EventStoreDb;
  server: Contract;
}

/** Starts the store before the tests of a file and ends it afterwards. */
export function attestStore(): AttestStore {
  const started = {} as AttestStore;
  beforeAll(async () => {
    started.server = await useServer();
    started.store = new EventStoreDb(started.server.url, eventCatalog, masterKeys('one'));
  });
  afterAll(async () => {
    started.store.close();
    await started.server.close();
  });
  return started;
}

/** Master keys by their ids, the same each time; the first one wraps. */
export function masterKeys(...ids: readonly string[]): LocalMasterKeys {
  return new LocalMasterKeys(ids.map((id) => ({ id, key: Buffer.alloc(32, id) })));
}

/** A tenant that no other test uses, so that a shared server does no harm. */
export function newTenant(): string {
  return `t${randomUUID().replaceAll('-', '').slice(0, 20)}`;
}

export function contextOf(tenant: string, commandId: string = randomUUID()): CommandContext {
  const actor = { sub: 'tester', roles: ['admin'], via: 'test' };
  return { tenant, actor, commandId, correlationId: commandId, causationId: commandId };
}

/** An event ready to be appended, as the pipeline would make it but for its place in the hash chain. */
export function newEvent(
  tenant: string,
  type: string,
  data: object,
  occurredAt = '2026-01-01T00:00:00.000Z',
): NewEvent {
  const { actor, commandId, correlationId: $correlationId, causationId: $causationId } = contextOf(tenant);
  const metadata = { schema: 1, tenant, actor, commandId, $correlationId, $causationId, occurredAt, hash: CHAIN_START };
  return { id: randomUUID(), type, data, metadata };
}
