import { MongoClient } from 'mongodb';
import { codeOf, server } from './harness';

const given = server();

it('answers the handshake and pings', async () => {
  expect(await given.db.command({ ping: 1 })).toMatchObject({ ok: 1 });
  expect(await given.db.admin().command({ hello: 1 })).toMatchObject({
    isWritablePrimary: true,
    maxBsonObjectSize: 16 * 1024 * 1024,
    ok: 1,
  });
  expect((await given.db.admin().buildInfo()).version).toMatch(/^\d+\.\d+\.\d+/);
});

it('creates, lists and drops collections', async () => {
  const db = given.client.db(`${given.db.databaseName}_list`);
  await db.createCollection('b');
  await db.collection('a').insertOne({ x: 1 });
  const listed = await db.listCollections().toArray();
  expect(listed.map(({ name }) => name).sort()).toEqual(['a', 'b']);
  expect(listed[0]).toMatchObject({ type: 'collection', info: { readOnly: false } });
  expect(await db.listCollections({ name: 'a' }, { nameOnly: true }).toArray()).toEqual([
    { name: 'a', type: 'collection' },
  ]);
  expect((await db.collections()).map(({ collectionName }) => collectionName).sort()).toEqual(['a', 'b']);
  expect(await db.dropCollection('a')).toBe(true);
  expect(await db.collection('a').countDocuments()).toBe(0);
  expect(await db.dropCollection('a')).toBe(true);
  expect((await db.admin().listDatabases()).databases.map(({ name }) => name)).toContain(db.databaseName);
  await db.dropDatabase();
  expect(await db.listCollections().toArray()).toEqual([]);
  expect((await db.admin().listDatabases()).databases.map(({ name }) => name)).not.toContain(db.databaseName);
});

it('starts anew after a drop', async () => {
  const collection = await given.collection([{ _id: 1, u: 1 }]);
  await collection.createIndex({ u: 1 }, { unique: true });
  await collection.drop();
  expect(await collection.find().toArray()).toEqual([]);
  await collection.insertMany([
    { _id: 1, u: 1 },
    { _id: 2, u: 1 },
  ]);
  expect(await collection.countDocuments({ u: 1 })).toBe(2);
  expect(await collection.indexes()).toHaveLength(1);
});

it('renames with its documents and indexes', async () => {
  const collection = await given.collection([{ _id: 1, a: 1 }]);
  await collection.createIndex({ a: 1 });
  const renamed = await collection.rename(`${collection.collectionName}_new`);
  expect(await renamed.find({ a: 1 }).toArray()).toEqual([{ _id: 1, a: 1 }]);
  expect(await renamed.indexes()).toHaveLength(2);
  expect(await collection.countDocuments()).toBe(0);
});

it('switches a read model with dropTarget while readers see one or the other', async () => {
  const live = await given.collection([
    { _id: 'a', version: 0 },
    { _id: 'b', version: 0 },
  ]);
  let reading = true;
  const mixed: unknown[] = [];
  const reader = (async () => {
    while (reading) {
      const versions = (await live.find().toArray()).map(({ version }) => version as number);
      if (versions.length !== 2 || versions[0] !== versions[1]) mixed.push(versions);
    }
  })();
  for (let version = 1; version <= 10; version++) {
    const next = await given.collection([
      { _id: 'a', version },
      { _id: 'b', version },
    ]);
    await next.rename(live.collectionName, { dropTarget: true });
  }
  reading = false;
  await reader;
  expect(mixed).toEqual([]);
  expect(await live.find().toArray()).toEqual([
    { _id: 'a', version: 10 },
    { _id: 'b', version: 10 },
  ]);
});

it('refuses to rename onto an existing collection or from a missing one', async () => {
  const a = await given.collection([{ x: 1 }]);
  const b = await given.collection([{ x: 1 }]);
  expect(await codeOf(a.rename(b.collectionName))).toBe(48);
  expect(await codeOf(given.db.renameCollection('not-there', 'elsewhere'))).toBe(26);
});

it('refuses names that cannot be', async () => {
  expect(await codeOf(given.db.command({ create: 'a$b' }))).toBe(73);
  expect(await codeOf(given.db.command({ insert: '', documents: [{ a: 1 }] }))).toBe(73);
});

it('refuses unknown commands and unknown fields', async () => {
  expect(await codeOf(given.db.command({ frobnicate: 1 }))).toBe(59);
  expect(await codeOf(given.db.command({ find: 'c', frob: 1 }))).toBe(40415);
});

it('refuses a document beyond 16 MB', async () => {
  const collection = await given.collection([{ _id: 1, s: 'x'.repeat(9 * 1024 * 1024) }]);
  expect([2, 10334, 17419, 17420]).toContain(
    await codeOf(collection.updateOne({ _id: 1 }, { $set: { t: 'x'.repeat(9 * 1024 * 1024) } })),
  );
  expect(Object.keys((await collection.findOne())!)).toEqual(['_id', 's']);
});

it('serves sessions and many clients at a time', async () => {
  const collection = await given.collection([{ _id: 'n', n: 0 }]);
  const clients = await Promise.all(Array.from({ length: 5 }, () => MongoClient.connect(given.url)));
  await Promise.all(
    clients.map(async (client) => {
      const own = client.db(given.db.databaseName).collection<{ _id: string; n: number }>(collection.collectionName);
      await client.withSession(async (session) => {
        for (let round = 0; round < 20; round++) await own.updateOne({ _id: 'n' }, { $inc: { n: 1 } }, { session });
      });
    }),
  );
  await Promise.all(clients.map((client) => client.close()));
  expect(await collection.findOne()).toEqual({ _id: 'n', n: 100 });
});
