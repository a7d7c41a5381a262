import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { EventStoreDBClient, type ResolvedEvent } from '@eventstore/db-client';
import { eventCatalog } from '../../../apps/shared/event-catalog';
import { EventStoreDb } from '../../../infra/eventstore';
import { UnusableMasterKeyError } from '../../../infra/keys';
import { landedData } from '../../../infra/clickhouse';
import {
  CHAIN_START,
  chainHash,
  CommandPipeline,
  type EventMetadata,
  EventStoreUnavailableError,
  KEY_CATEGORY,
  type RecordedEvent,
} from '../../../packages/eventsourcing';
import { type Person, personDecider } from '../../../packages/people';
import { collect } from '../eventstore/harness';
import { attestStore, contextOf, masterKeys, newEvent, newTenant } from './attest-store';

const used = attestStore();
const at = '2026-03-01T00:00:00.000Z';
const ada = { name: { given: 'Ada', family: 'Lovelace' }, email: 'ada@example.com' };
const nobody = { name: null, email: null };
const opened: EventStoreDb[] = [];

afterAll(() => opened.forEach((store) => store.close()));

/** As another process would open it. */
function anotherStore(...ids: readonly string[]): EventStoreDb {
  const store = new EventStoreDb(used.server.url, eventCatalog, ids.length > 0 ? masterKeys(...ids) : undefined);
  opened.push(store);
  return store;
}

async function hire(tenant: string, person: string, commandId: string = randomUUID()): Promise<void> {
  const data = { person, employeeNumber: '1', jobTitle: 'Engineer', role: 'engineer', orgUnit: 'd1', ...ada };
  const pipeline = new CommandPipeline(used.store, eventCatalog);
  await pipeline.handle(personDecider, { type: 'HirePerson', at, data }, contextOf(tenant, commandId));
}

async function all(store: EventStoreDb, tenant: string): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const batch of store.subscribeToAll({ streamPrefix: `${tenant}.` })) {
    events.push(...batch.events);
    if (batch.caughtUp) break;
  }
  return events;
}

async function profileOf(store: EventStoreDb, tenant: string, person: string): Promise<unknown> {
  for await (const { data } of store.readStream(`${tenant}.person-${person}`)) {
    const { name, email } = data as typeof ada;
    return { name, email };
  }
  return undefined;
}

/** Everything that stands in a stream, as it is stored. */
async function stored(stream: string): Promise<{ id: string; type: string; data: object; metadata: EventMetadata }[]> {
  const events: ResolvedEvent[] = await collect(used.server.client.readStream(stream));
  return events.map(({ event }) => event as never);
}

describe('personal data', () => {
  it('is stored encrypted, hashed as it is stored, and read in clear', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await hire(tenant, person);
    const [event] = await stored(`${tenant}.person-${person}`);
    const { id, type, data, metadata } = event!;
    expect(JSON.stringify({ data, metadata })).not.toMatch(/Ada|Lovelace|ada@/);
    expect(data).toMatchObject({ name: { sealed: expect.any(String) as string }, employeeNumber: '1' });
    expect(metadata).toMatchObject({ schema: 3, hash: chainHash(CHAIN_START, { id, type, data, metadata }) });
    expect(await profileOf(anotherStore('one'), tenant, person)).toEqual(ada);
  });

  it('is not carried to the warehouse', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await hire(tenant, person);
    const [before] = await all(anotherStore('one'), tenant);
    expect(before).toMatchObject({ data: ada, sealed: { name: { sealed: expect.any(String) as string } } });
    expect(JSON.stringify(before!.sealed)).not.toMatch(/Ada|Lovelace|ada@/);
    await used.store.keys!.destroy({ tenant, person });
    const [after] = await all(anotherStore('one'), tenant);
    expect(landedData(after!)).toBe(landedData(before!));
  });

  it('is recognised when its command comes again, though it is encrypted anew', async () => {
    const [tenant, person, commandId] = [newTenant(), randomUUID(), randomUUID()];
    await hire(tenant, person, commandId);
    await hire(tenant, person, commandId);
    expect(await stored(`${tenant}.person-${person}`)).toHaveLength(1);
    expect(await stored(`${tenant}.${KEY_CATEGORY}-${person}`)).toHaveLength(1);
  });

  it('shows the keys of people to no reader of the log', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await hire(tenant, person);
    expect((await all(used.store, tenant)).map(({ stream }) => stream)).toEqual([`${tenant}.person-${person}`]);
  });

  it('stored in clear by an older version is read, and concealed from the warehouse', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    const old = newEvent(tenant, 'ProfileCorrected', { person, ...ada });
    await used.store.append(`${tenant}.person-${person}`, [old], 'no-stream');
    const [event] = await all(used.store, tenant);
    expect(event).toMatchObject({ data: { person, ...ada }, sealed: { person, ...nobody } });
  });

  it('is null to whoever has no master key, who can write none either', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await hire(tenant, person);
    const store = anotherStore();
    expect(await profileOf(store, tenant, person)).toEqual(nobody);
    await expect(store.seal(tenant, { id: '1', type: 'ProfileCorrected', data: { person, ...ada } })).rejects.toThrow(
      'no master key',
    );
  });

  it('stops whoever has lost a master key, instead of telling them that there is nothing', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await hire(tenant, person);
    await expect(profileOf(anotherStore('two'), tenant, person)).rejects.toThrow(UnusableMasterKeyError);
  });

  it('needs one key per person, made once by however many processes', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    const keys = await Promise.all(
      [anotherStore('one'), anotherStore('one'), used.store].map((store) => store.keys!.findOrMake({ tenant, person })),
    );
    expect(new Set(keys.map((key) => Buffer.from(key!).toString('hex'))).size).toBe(1);
  });
});

describe('a key that cannot be read', () => {
  afterEach(() => jest.restoreAllMocks());

  it('is read again, and leaves alone the client that appends', async () => {
    const [tenant, person, store] = [newTenant(), randomUUID(), anotherStore('one')];
    await hire(tenant, person);
    const appending = jest.spyOn(EventStoreDBClient.prototype, 'appendToStream');
    jest.spyOn(EventStoreDBClient.prototype, 'readStream').mockImplementationOnce(() => {
      throw Object.assign(new Error('the transport broke'), { code: 13 });
    });
    const event = { id: randomUUID(), type: 'ProfileCorrected', data: { person, ...ada } };
    await expect(store.seal(tenant, event)).rejects.toThrow(EventStoreUnavailableError);
    expect(await store.seal(tenant, event)).toMatchObject({ name: { sealed: expect.any(String) as string } });
    const clients: readonly unknown[] = appending.mock.contexts;
    expect(clients).toHaveLength(2);
    expect(clients[0] === clients[1]).toBe(true);
  });

  it('does not end who follows the log: they go on where they were', async () => {
    const [tenant, person, store] = [newTenant(), randomUUID(), anotherStore('one')];
    await hire(tenant, person);
    jest.spyOn(store.keys!, 'findAll').mockRejectedValueOnce(new EventStoreUnavailableError('away for a moment'));
    expect(await all(store, tenant)).toMatchObject([{ stream: `${tenant}.person-${person}`, data: ada }]);
  });
});

describe('a destroyed key', () => {
  it('leaves nothing to read, for ever, and the chain as it was', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await hire(tenant, person);
    const before = await stored(`${tenant}.person-${person}`);
    await used.store.keys!.destroy({ tenant, person });
    await used.store.keys!.destroy({ tenant, person });
    expect(await profileOf(used.store, tenant, person)).toEqual(nobody);
    expect(await profileOf(anotherStore('one'), tenant, person)).toEqual(nobody);
    expect(await stored(`${tenant}.person-${person}`)).toEqual(before);
  });

  it('is not made again: what comes later for the person is left out', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await used.store.keys!.findOrMake({ tenant, person });
    await used.store.keys!.destroy({ tenant, person });
    const event = { id: randomUUID(), type: 'ProfileCorrected', data: { person, ...ada } };
    for (const store of [used.store, anotherStore('one')]) {
      expect(await store.seal(tenant, event)).toEqual({ person, ...nobody });
    }
  });

  it('is forgotten by a process that knew it, when the destruction passes by in the log', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await hire(tenant, person);
    const other = anotherStore('one');
    expect(await profileOf(other, tenant, person)).toEqual(ada);
    await used.store.keys!.destroy({ tenant, person });
    await all(other, tenant);
    expect(await profileOf(other, tenant, person)).toEqual(nobody);
  });

  it('is gone from the files of the engine after a scavenge', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await hire(tenant, person);
    const [key] = await stored(`${tenant}.${KEY_CATEGORY}-${person}`);
    await used.store.keys!.destroy({ tenant, person });
    await used.store.scavenge();
    await used.store.scavenge();
    if (used.server.dataDir) {
      const file = readFileSync(join(used.server.dataDir, 'events.mdb'));
      expect(file.includes((key!.data as { wrapped: string }).wrapped)).toBe(false);
    }
    expect(await profileOf(used.store, tenant, person)).toEqual(nobody);
    await hire(tenant, randomUUID());
    expect(await all(anotherStore('one'), tenant)).toHaveLength(2);
  });
});

describe('the master key', () => {
  it('can be changed: keys wrapped anew need the old one no more', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    await hire(tenant, person);
    const both = anotherStore('two', 'one');
    const stream = `${tenant}.${KEY_CATEGORY}-${person}`;
    expect(await both.keys!.rewrap({ tenant, person })).toBe(true);
    expect(await both.keys!.rewrap({ tenant, person })).toBe(false);
    expect(await stored(stream)).toMatchObject([{ data: { masterKey: 'two' } }]);
    expect(await profileOf(anotherStore('two'), tenant, person)).toEqual(ada);
    await expect(profileOf(anotherStore('one'), tenant, person)).rejects.toThrow(UnusableMasterKeyError);
  });

  it('is not needed to fold a history without personal data', async () => {
    const [tenant, person] = [newTenant(), randomUUID()];
    const data = { person, effectiveOn: '2026-03-01' };
    await used.store.append(`${tenant}.person-${person}`, [newEvent(tenant, 'PersonTerminated', data)], 'no-stream');
    const pipeline = new CommandPipeline(anotherStore(), eventCatalog);
    const state: Person = await pipeline.stateOf(personDecider, tenant, person);
    expect(state.employed).toHaveLength(1);
  });
});
