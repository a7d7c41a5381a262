import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { document, type Document } from '../bson/values';
import { RawDocument } from '../bson/read';
import { writeDocument } from '../bson/write';
import { Catalog } from './catalog';
import { storedForm } from './collection';
import { Index, parseIndexMeta } from './index-definition';
import { idKey, prefixRange, Space } from './keys';
import { Maintenance } from './maintenance';
import { Store } from './store';

let dir: string;
let store: Store;
let catalog: Catalog;
let maintenance: Maintenance;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'attest-mongo-maintenance-'));
  store = new Store(join(dir, 'data.mdb'));
  catalog = new Catalog(store);
  maintenance = new Maintenance(store, catalog);
});

afterEach(async () => {
  await maintenance.close();
  await store.close();
  rmSync(dir, { recursive: true });
});

const insert = (documents: Document[]): Promise<void> =>
  store.write(() => {
    const collection = catalog.ensure('d.c');
    for (const doc of documents) collection.insert(store, storedForm(new RawDocument(writeDocument(doc))));
  });

const index = (specification: Document): Promise<void> =>
  store.write(() =>
    catalog.get('d.c')!.buildIndex(store, new Index(catalog.newIndexId(), parseIndexMeta(specification))),
  );

it('removes what a dropped collection left behind, and keeps its neighbours', async () => {
  await insert(Array.from({ length: 12_000 }, (_, n) => document({ _id: n, n })));
  await index(document({ key: document({ n: 1 }) }));
  const dropped = catalog.get('d.c')!;
  await store.write(() => {
    catalog.drop(dropped);
    catalog.ensure('d.other').insert(store, new RawDocument(writeDocument(document({ _id: 1 }))));
  });
  await maintenance.sweep();
  const left = [
    idKey(Space.record, dropped.id),
    ...dropped.indexes.map(({ id }) => idKey(Space.index, id)),
    Buffer.from([Space.dropped]),
  ];
  expect(left.map((prefix) => store.count(prefixRange(prefix)))).toEqual([0, 0, 0, 0]);
  expect(catalog.countOf(catalog.get('d.other')!)).toBe(1);
});

it('deletes expired documents, those with a date only, within the partial filter', async () => {
  const now = Date.now();
  const ago = (seconds: number): Date => new Date(now - seconds * 1_000);
  await insert([
    document({ _id: 'old', at: ago(100), on: true }),
    document({ _id: 'new', at: ago(10), on: true }),
    document({ _id: 'array', at: [ago(5), ago(500)], on: true }),
    document({ _id: 'number', at: 5, on: true }),
    document({ _id: 'none', on: true }),
    document({ _id: 'outside', at: ago(100) }),
  ]);
  await index(
    document({ key: document({ at: 1 }), expireAfterSeconds: 60, partialFilterExpression: document({ on: true }) }),
  );
  await maintenance.expire(now);
  const collection = catalog.get('d.c')!;
  const left = ['old', 'new', 'array', 'number', 'none', 'outside'].filter(
    (id) => collection.recordOfId(store, id) !== undefined,
  );
  expect(left).toEqual(['new', 'number', 'none', 'outside']);
  expect(catalog.countOf(collection)).toBe(4);
});

it('rolls back one failing job of a group and keeps the others', async () => {
  await insert([document({ _id: 0 })]);
  const results = await Promise.allSettled([
    insert([document({ _id: 1 })]),
    store.write(() => {
      catalog.ensure('d.lost').insert(store, new RawDocument(writeDocument(document({ _id: 1 }))));
      throw new TypeError('a defect');
    }),
    insert([document({ _id: 2 })]),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(catalog.get('d.lost')).toBeUndefined();
  expect(catalog.countOf(catalog.get('d.c')!)).toBe(3);
  const reopened = new Catalog(store);
  expect(reopened.countOf(reopened.get('d.c')!)).toBe(3);
});
