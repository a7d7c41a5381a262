import type { Db } from 'mongodb';
import pino from 'pino';
import { MongoProjector, Parked, ReadModels, Rebuilder, runProjector } from '../../../infra/mongo';
import {
  derivedId,
  type Document,
  NoPreviousError,
  type Projection,
  type ReadModelState,
} from '../../../packages/eventsourcing';
import type { PermissionsGranted } from '../../../packages/people/permissions.events';
import { collectionOf } from '../../../projections/mongo/collection';
import { until } from '../../e2e/until';
import { server } from '../mongo/harness';
import { attestStore, newEvent, newTenant } from './attest-store';

interface Grants extends Document {
  /** Every number granted, in the order of the log. */
  readonly numbers: readonly number[];
  readonly by?: number;
}
type GrantsProjection = Projection<Grants, PermissionsGranted>;

const used = attestStore();
const mongo = server();
const log = pino({ level: 'silent' });
const running: { stop: AbortController; ended: Promise<unknown> }[] = [];
let database = 0;
let tenant: string;
let db: Db;

beforeEach(() => {
  db = mongo.client.db(`${mongo.db.databaseName}_${database++}`);
  tenant = newTenant();
});
afterEach(async () => {
  for (const { stop } of running) stop.abort();
  await Promise.all(running.splice(0).map(({ ended }) => ended));
  await db.dropDatabase();
});

/** Appends what it must see in order: each grant carries the next number of its role. */
function grants(version = 1, poison: (numbers: number) => boolean = () => false): GrantsProjection {
  return {
    name: 'grants',
    version,
    handles: ['PermissionsGranted'],
    key: ({ data, metadata }) => `${metadata.tenant}:${data.role}`,
    evolve: (document, { data, metadata }, _id) => {
      const number = Number(data.permissions[0]);
      if (poison(number)) throw new Error(`cannot take ${number}`);
      const numbers = [...(document?.numbers ?? []), number];
      return { _id, tenant: metadata.tenant, numbers, ...(version > 1 && { by: version }) };
    },
    indexes: [{ key: { tenant: 1 } }],
  };
}

const roleOf = (number: number): string => `role-${number % 3}`;
const revisions = new Map<string, number>();

async function grant(...numbers: readonly number[]): Promise<bigint> {
  let position = 0n;
  for (const number of numbers) {
    const stream = `${tenant}.permissions-${derivedId(roleOf(number))}`;
    const event = newEvent(tenant, 'PermissionsGranted', { role: roleOf(number), permissions: [String(number)] });
    const appended = await used.store.append(stream, [event], revisions.get(stream) ?? 'no-stream');
    revisions.set(stream, appended.revision);
    position = appended.position;
  }
  return position;
}

/** A process of this code, with what a projector process runs for its read models. */
function start(projection: GrantsProjection): { readModels: ReadModels; stop: () => Promise<void> } {
  const stop = new AbortController();
  const { signal } = stop;
  const readModels = new ReadModels(db, [projection]);
  const ended = Promise.all([
    runProjector(db, [projection], used.store, log, { readModels, signal }),
    new Rebuilder(db, [projection], readModels, used.store, log).run(signal),
  ]);
  running.push({ stop, ended });
  return {
    readModels,
    stop: async () => {
      stop.abort();
      await ended;
    },
  };
}

const numbers = (of: (n: number) => boolean, upTo: number): number[] =>
  Array.from({ length: upTo }, (_, i) => i).filter(of);

async function read(projection: GrantsProjection): Promise<Grants[]> {
  const collection = await collectionOf(db, projection);
  return await collection.find({ tenant }).sort({ _id: 1 }).toArray();
}

async function seen(projection: GrantsProjection): Promise<number> {
  return (await read(projection)).reduce((sum, document) => sum + document.numbers.length, 0);
}

const state = async (readModels: ReadModels): Promise<ReadModelState> => (await readModels.list())[0]!;
const isBuilt = async (readModels: ReadModels): Promise<boolean> => (await state(readModels)).building === null;

/** Reads until the work is done: what was seen once is seen from then on, and in order. */
async function readingThrough(projection: GrantsProjection, work: () => Promise<unknown>): Promise<number> {
  let isDone = false;
  const done = work().finally(() => (isDone = true));
  let reads = 0;
  let before = 0;
  while (!isDone) {
    const now = await read(projection);
    const count = now.reduce((sum, document) => sum + document.numbers.length, 0);
    if (count < before) throw new Error(`saw ${before} numbers, then ${count}`);
    for (const { numbers } of now) expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
    before = count;
    reads++;
  }
  await done;
  return reads;
}

describe('read models', () => {
  it('are built anew beside what is read, compared, and switched to, while events arrive', async () => {
    const projection = grants();
    const { readModels } = start(projection);
    const position = await grant(...numbers(() => true, 30));
    await until(async () => (await readModels.reached()) >= position);
    const collection = db.collection<Grants>('grants_v1');
    await collection.updateOne({ _id: `${tenant}:role-0` }, { $set: { numbers: [0, 1] } });

    let next = 30;
    const reads = await readingThrough(projection, async () => {
      await readModels.rebuild('grants');
      while (!(await isBuilt(readModels))) {
        const position = await grant(next++);
        await until(async () => (await readModels.reached()) >= position);
        // The wait is over: it must be seen, whichever collection is read by now.
        expect((await read(projection)).some((document) => document.numbers.includes(next - 1))).toBe(true);
      }
    });
    expect(reads).toBeGreaterThan(0);
    const { active, previous, last } = await state(readModels);
    expect([active.collection, previous?.collection]).toEqual(['grants_v1_2', 'grants_v1']);
    expect(last!.compared!.differences).toEqual([
      { id: `${tenant}:role-0`, tenant, kind: 'different', fields: ['numbers'] },
    ]);
    expect(await read(projection)).toMatchObject(
      [0, 1, 2].map((role) => ({ numbers: numbers((n) => n % 3 === role, next) })),
    );
  });

  it('go back to what was read before, brought up to the log', async () => {
    const projection = grants();
    const { readModels } = start(projection);
    await until(async () => (await readModels.list()).length > 0);
    await expect(readModels.rollback('grants')).rejects.toThrow(NoPreviousError);
    await grant(1, 2, 3);
    await readModels.rebuild('grants');
    await until(() => isBuilt(readModels));
    const position = await grant(4, 5, 6);
    await until(async () => (await readModels.reached()) >= position);
    await readingThrough(projection, async () => {
      await readModels.rollback('grants');
      await until(() => isBuilt(readModels));
    });
    const { active, previous } = await state(readModels);
    expect([active.collection, previous?.collection]).toEqual(['grants_v1', 'grants_v1_2']);
    expect(await seen(projection)).toBe(6);
    await readModels.rebuild('grants');
    await until(() => isBuilt(readModels));
    const collections = (await db.listCollections().toArray()).map(({ name }) => name);
    expect(collections).toEqual(expect.arrayContaining(['grants_v1', 'grants_v1_4']));
    expect(collections).not.toContain('grants_v1_2');
  });

  it('are built anew by a new version, and read as they were until then', async () => {
    const before = start(grants());
    const position = await grant(1, 2, 3, 4);
    await until(async () => (await before.readModels.reached()) >= position);
    await before.stop();

    const bumped = grants(2);
    const after = start(bumped);
    await readingThrough(bumped, async () => {
      const position = await grant(5);
      await until(async () => (await after.readModels.reached()) >= position);
    });
    expect((await state(after.readModels)).active).toEqual({ collection: 'grants_v2', version: 2 });
    expect((await read(bumped)).map(({ by }) => by)).toEqual([2, 2, 2]);
    await expect(after.readModels.rollback('grants')).rejects.toThrow(/made by version 1/);
    await after.stop();

    const old = start(grants());
    await until(async () => old.readModels.rollback('grants').then(Boolean));
    const last = await grant(6);
    await until(async () => (await old.readModels.reached()) >= last);
    expect((await state(old.readModels)).active).toEqual({ collection: 'grants_v1', version: 1 });
    expect((await read(grants())).map(({ numbers, by }) => [numbers, by])).toEqual([
      [[3, 6], undefined],
      [[1, 4], undefined],
      [[2, 5], undefined],
    ]);
  });

  it('are built from the beginning when they are new to a log with a history', async () => {
    const other: GrantsProjection = { ...grants(), name: 'others' };
    const first = start(other);
    const position = await grant(1, 2, 3);
    await until(async () => (await first.readModels.reached()) >= position);
    await first.stop();
    const stop = new AbortController();
    const both = new ReadModels(db, [other, grants()]);
    const ended = Promise.all([
      runProjector(db, [other, grants()], used.store, log, { readModels: both, signal: stop.signal }),
      new Rebuilder(db, [other, grants()], both, used.store, log).run(stop.signal),
    ]);
    running.push({ stop, ended });
    await until(async () => (await both.list()).length === 2);
    await until(async () => (await both.reached()) >= position);
    expect(await seen(grants())).toBe(3);
  });

  it('take a parked event in its place once it can be applied', async () => {
    const poisoned = grants(1, (number) => number === 4);
    const before = start(poisoned);
    const position = await grant(1, 4, 7, 2);
    await until(async () => (await before.readModels.reached()) >= position);
    expect(await new Parked(db).list(tenant)).toMatchObject([
      { consumer: 'grants_v1', type: 'PermissionsGranted', reason: 'Error: cannot take 4' },
    ]);
    expect(await new Parked(db).list('other')).toEqual([]);
    await before.stop();

    const projection = grants();
    const after = start(projection);
    await until(async () => Boolean(await after.readModels.rebuild('grants')));
    await until(() => isBuilt(after.readModels));
    expect((await read(projection))[0]).toMatchObject({ numbers: [1, 4, 7] });
    const { active } = await state(after.readModels);
    expect((await new Parked(db).list(tenant)).filter(({ consumer }) => consumer === active.collection)).toEqual([]);
  });

  it('are fed by several, each its share of the documents', async () => {
    const projection = grants();
    const all = new MongoProjector(db, [projection]);
    await all.position();
    const shares = [[0, 1, 2], [3, 4], [5, 6, 7]]; // prettier-ignore
    const stop = new AbortController();
    const ended = Promise.all(
      shares.map((partitions) => runProjector(db, [projection], used.store, log, { partitions, signal: stop.signal })),
    );
    running.push({ stop, ended });
    const position = await grant(...numbers(() => true, 60));
    const readModels = new ReadModels(db, [projection]);
    await until(async () => (await readModels.reached()) >= position);
    expect(await read(projection)).toMatchObject(
      [0, 1, 2].map((role) => ({ numbers: numbers((n) => n % 3 === role, 60) })),
    );
  });
});
