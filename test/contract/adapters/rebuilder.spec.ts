import type { Db } from 'mongodb';
import pino from 'pino';
import { Parked, ReadModels, Rebuilder } from '../../../infra/mongo';
import { CollectionFeed } from '../../../infra/mongo/collection-feed';
import { compareCollections } from '../../../infra/mongo/compare-collections';
import { PARTITIONS } from '../../../infra/mongo/partitions';
import type { Document, EventStore, Projection, RecordedEvent } from '../../../packages/eventsourcing';
import { until } from '../../e2e/until';
import { server } from '../mongo/harness';
import { newEvent } from './attest-store';

interface Counts extends Document {
  readonly numbers: readonly number[];
}
interface Count {
  readonly type: 'Counted';
  readonly data: { readonly of: string; readonly number: number };
}

const mongo = server();
const log = pino({ level: 'silent' });
let database = 0;
let db: Db;

beforeEach(() => {
  db = mongo.client.db(`${mongo.db.databaseName}_rebuilder_${database++}`);
});
afterEach(() => db.dropDatabase());

/** Keeps every number; 0 ends the document. */
const counts = (name = 'counts'): Projection<Counts, Count> => ({
  name,
  version: 1,
  handles: ['Counted'],
  key: ({ data }) => data.of,
  evolve: (document, { data }, _id) =>
    data.number === 0 ? null : { _id, tenant: 'acme', numbers: [...(document?.numbers ?? []), data.number] },
  indexes: [],
});

const counted = (position: number, of: string, number: number): RecordedEvent => {
  const event = newEvent('acme', 'Counted', { of, number });
  const recordedAt = '2026-01-01T00:00:00.000Z';
  return { ...event, stream: 'acme.count-1', revision: position, position: BigInt(position), recordedAt };
};

it('folds on while it writes, and writes that next', async () => {
  const everywhere = new Map(PARTITIONS.map((partition) => [partition, 0n]));
  const feed = new CollectionFeed(db, counts(), 'counts_v1', everywhere, new Parked(db));
  await feed.prepare();
  await feed.fold([counted(1, 'kept', 1), counted(2, 'ended', 1), counted(3, 'back', 1)]);
  const writing = feed.flush();
  await feed.fold([counted(4, 'kept', 2), counted(5, 'ended', 0), counted(6, 'back', 0), counted(7, 'new', 1)]);
  await writing;
  const again = feed.flush();
  await feed.fold([counted(8, 'back', 2)]);
  await again;
  await feed.flush();
  const stored = await db.collection<Counts>('counts_v1').find().sort({ _id: 1 }).toArray();
  expect(stored).toEqual([
    { _id: 'back', tenant: 'acme', numbers: [2], position: 8 },
    { _id: 'kept', tenant: 'acme', numbers: [1, 2], position: 4 },
    { _id: 'new', tenant: 'acme', numbers: [1], position: 7 },
  ]);
});

it('reads the log once for requests that come one after the other', async () => {
  const projections = ['a', 'b', 'c'].map((name) => counts(name));
  const toAsk = ['b', 'c'];
  /** Each look is followed by the next request. */
  class Requested extends ReadModels {
    override async list(): ReturnType<ReadModels['list']> {
      const states = await super.list();
      const next = toAsk.shift();
      if (next) await this.rebuild(next);
      return states;
    }
  }
  const readModels = new ReadModels(db, projections);
  await readModels.begin();
  await readModels.rebuild('a');
  let readings = 0;
  const store = {
    async *subscribeToAll() {
      readings++;
      yield await Promise.resolve({ events: [counted(1, 'x', 1)], position: 1n, caughtUp: true });
    },
  } as unknown as EventStore;
  const stop = new AbortController();
  const running = new Rebuilder(db, projections, new Requested(db, projections), store, log).run(stop.signal);
  const areJoining = async (): Promise<boolean> =>
    (await readModels.list()).every(({ building }) => building?.phase === 'joining');
  await until(areJoining);
  stop.abort();
  await running;
  expect(readings).toBe(1);
});

it('compares by what documents say, in the order of ids', async () => {
  const [before, after] = [db.collection<Counts>('before'), db.collection<Counts>('after')];
  const same = Array.from({ length: 250 }, (_, i) => ({ _id: `k-${i}`, tenant: 'acme', numbers: [i], position: i }));
  await before.insertMany(same);
  await after.insertMany(same.map(({ _id, tenant, numbers, position }) => ({ _id, position, numbers, tenant })));
  await before.deleteOne({ _id: 'k-7' });
  await before.insertOne({ _id: 'z-last', tenant: 'acme', numbers: [] });
  await after.updateOne({ _id: 'k-101' }, { $set: { numbers: [0] } });
  await after.deleteOne({ _id: 'k-249' });
  expect(await compareCollections(db, 'before', 'after')).toEqual({
    documents: 251,
    differing: 4,
    differences: [
      { id: 'k-101', tenant: 'acme', kind: 'different', fields: ['numbers'] },
      { id: 'k-249', tenant: 'acme', kind: 'missing', fields: [] },
      { id: 'k-7', tenant: 'acme', kind: 'unexpected', fields: [] },
      { id: 'z-last', tenant: 'acme', kind: 'missing', fields: [] },
    ],
  });
});
