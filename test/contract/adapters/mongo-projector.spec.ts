import { MongoProjector, type Stored } from '../../../infra/mongo';
import { canonicalJson, type EventBatch, type Projection, type RecordedEvent } from '../../../packages/eventsourcing';
import { recorded } from '../../../packages/eventsourcing/testing';
import { server } from '../mongo/harness';

interface Count {
  readonly _id: string;
  readonly tenant: string;
  readonly numbers: readonly number[];
}
type Counted = { type: 'Counted' | 'Closed' | 'Poison'; data: { id: string; n: number } };

/** Not idempotent by itself: only the runner's guard keeps an event from counting twice. */
const counts: Projection<Count, Counted> = {
  name: 'counts',
  version: 1,
  handles: ['Counted', 'Closed', 'Poison'],
  key: ({ data }) => data.id,
  evolve: (document, { type, data, metadata }) => {
    if (type === 'Poison') throw new Error('cannot be applied');
    if (type === 'Closed') return null;
    return { _id: data.id, tenant: metadata.tenant, numbers: [...(document?.numbers ?? []), data.n] };
  },
  indexes: [{ key: { tenant: 1 } }],
};

const mongo = server();
let database = 0;
let projector: MongoProjector;
const db = () => mongo.client.db(`${mongo.db.databaseName}_${database}`);

beforeEach(async () => {
  database++;
  projector = new MongoProjector(db(), [counts]);
  await projector.position();
});
afterEach(() => db().dropDatabase());

const event = (position: number, id: string, type: Counted['type'] = 'Counted'): RecordedEvent =>
  recorded({ type, data: { id, n: position } }, { category: 'count', id, position });
const batch = (...events: RecordedEvent[]): EventBatch => ({
  events,
  position: events[events.length - 1]!.position,
  caughtUp: true,
});
const documents = () => db().collection<Stored<Count>>('counts_v1').find().sort({ _id: 1 }).toArray();
const numbers = async () => (await documents()).map(({ _id, numbers: of }) => [_id, of]);

describe('the projector', () => {
  it('folds each batch into documents and remembers how far it came', async () => {
    await projector.apply(batch(event(1, 'a'), event(2, 'b'), event(3, 'a')));
    await projector.apply(batch(event(4, 'b')));
    expect(await numbers()).toEqual([['a', [1, 3]], ['b', [2, 4]]]); // prettier-ignore
    expect(await new MongoProjector(db(), [counts]).position()).toBe(4n);
  });

  it('changes nothing when a batch comes again, whole or overlapping', async () => {
    const first = batch(event(1, 'a'), event(2, 'b'), event(3, 'a'));
    await projector.apply(first);
    await projector.apply(first);
    await projector.apply(batch(event(2, 'b'), event(3, 'a'), event(4, 'a')));
    expect(await numbers()).toEqual([['a', [1, 3, 4]], ['b', [2]]]); // prettier-ignore
  });

  it('goes on from the documents when a crash kept the checkpoint behind them', async () => {
    await projector.apply(batch(event(1, 'a'), event(2, 'b')));
    await db().collection('checkpoints').deleteMany({});
    const restarted = new MongoProjector(db(), [counts]);
    expect(await restarted.position()).toBeUndefined();
    await restarted.apply(batch(event(1, 'a'), event(2, 'b'), event(3, 'b')));
    expect(await numbers()).toEqual([['a', [1]], ['b', [2, 3]]]); // prettier-ignore
  });

  it('rebuilds the same content, byte for byte', async () => {
    const log = Array.from({ length: 200 }, (_, i) => event(i + 1, `d${i % 7}`));
    for (let from = 0; from < log.length; from += 30) await projector.apply(batch(...log.slice(from, from + 30)));
    const before = canonicalJson(await documents());
    await db().dropDatabase();
    const again = new MongoProjector(db(), [counts]);
    await again.position();
    await again.apply(batch(...log));
    expect(canonicalJson(await documents())).toBe(before);
  });

  it('deletes a document and begins it anew', async () => {
    await projector.apply(batch(event(1, 'a'), event(2, 'a', 'Closed')));
    expect(await numbers()).toEqual([]);
    await projector.apply(batch(event(3, 'a')));
    await projector.apply(batch(event(4, 'a', 'Closed'), event(5, 'a')));
    expect(await numbers()).toEqual([['a', [5]]]);
  });

  it('parks what cannot be applied; its neighbours pass', async () => {
    await projector.apply(batch(event(1, 'a'), event(2, 'a', 'Poison'), event(3, 'a'), event(4, 'b')));
    expect(await numbers()).toEqual([['a', [1, 3]], ['b', [4]]]); // prettier-ignore
    expect(await db().collection('parked').find().toArray()).toEqual([
      expect.objectContaining({
        consumer: 'counts_v1',
        position: '2',
        type: 'Poison',
        reason: 'Error: cannot be applied',
      }),
    ]);
  });
});
