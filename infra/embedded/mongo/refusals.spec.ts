import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Db, type Document, MongoClient, MongoServerError } from 'mongodb';
import { type Engine } from '../engine';
import { startMongo } from '.';

let dir: string;
let engine: Engine;
let client: MongoClient;
let db: Db;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'attest-mongo-refusals-'));
  engine = await startMongo({ dataDir: dir, port: 0 });
  client = await MongoClient.connect(engine.url);
  db = client.db('d');
  await db.collection('c').insertOne({ a: 1 });
});

afterAll(async () => {
  await client.close();
  await engine.close();
  rmSync(dir, { recursive: true });
});

/** Everything outside of the published subset answers with an error that names it. */
it.each([
  ['collation', { find: 'c', collation: { locale: 'de' } }],
  ['collation', { update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } }, collation: { locale: 'de' } }] }],
  ['tailable', { find: 'c', tailable: true }],
  ['showRecordId', { find: 'c', showRecordId: true }],
  ['min', { find: 'c', min: { a: 1 } }],
  ['frob', { find: 'c', frob: 1 }],
  ['frob', { insert: 'c', documents: [{}], frob: 1 }],
  ['frob', { update: 'c', updates: [{ q: {}, u: { $set: { a: 1 } }, frob: 1 }] }],
  ['frob', { delete: 'c', deletes: [{ q: {}, limit: 0, frob: 1 }] }],
  ['frob', { aggregate: 'c', pipeline: [], cursor: {}, frob: 1 }],
  ['frob', { aggregate: 'c', pipeline: [], cursor: { frob: 1 } }],
  ['frob', { ping: 1, frob: 1 }],
  ['$where', { find: 'c', filter: { $where: 'true' } }],
  ['$text', { find: 'c', filter: { $text: { $search: 'x' } } }],
  ['$jsonSchema', { find: 'c', filter: { $jsonSchema: {} } }],
  ['$near', { find: 'c', filter: { a: { $near: [0, 0] } } }],
  ['$meta', { find: 'c', projection: { a: { $meta: 'textScore' } } }],
  ['$out', { aggregate: 'c', pipeline: [{ $out: 'x' }], cursor: {} }],
  ['$merge', { aggregate: 'c', pipeline: [{ $merge: 'x' }], cursor: {} }],
  ['$graphLookup', { aggregate: 'c', pipeline: [{ $graphLookup: {} }], cursor: {} }],
  ['$changeStream', { aggregate: 'c', pipeline: [{ $changeStream: {} }], cursor: {} }],
  ['$function', { aggregate: 'c', pipeline: [{ $project: { a: { $function: {} } } }], cursor: {} }],
  ['$percentile', { aggregate: 'c', pipeline: [{ $group: { _id: 1, a: { $percentile: {} } } }], cursor: {} }],
  ['explain', { aggregate: 'c', pipeline: [], cursor: {}, explain: true }],
  ['update', { explain: { update: 'c' } }],
  ["kind 'text'", { createIndexes: 'c', indexes: [{ key: { a: 'text' }, name: 't' }] }],
  ["kind '2dsphere'", { createIndexes: 'c', indexes: [{ key: { a: '2dsphere' }, name: 't' }] }],
  ['wildcard', { createIndexes: 'c', indexes: [{ key: { '$**': 1 }, name: 't' }] }],
  ['hidden', { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 't', hidden: true }] }],
  ['collation', { createIndexes: 'c', indexes: [{ key: { a: 1 }, name: 't', collation: { locale: 'de' } }] }],
  ['capped', { create: 'x', capped: true, size: 1000 }],
  ['viewOn', { create: 'x', viewOn: 'c' }],
  ['timeseries', { create: 'x', timeseries: { timeField: 't' } }],
  ['size', { create: 'x', size: 5 }],
  ['frob', { create: 'x', frob: 1 }],
  ['frob', { aggregate: 'c', pipeline: [{ $unionWith: { coll: 'c', frob: 1 } }], cursor: {} }],
  ['frob', { explain: { find: 'c', frob: 1 } }],
  ['validator', { create: 'x', validator: {} }],
  ['collMod', { collMod: 'c' }],
  ['mapReduce', { mapReduce: 'c' }],
  ['snapshot', { find: 'c', readConcern: { level: 'snapshot' } }],
  ['w: 3', { insert: 'c', documents: [{}], writeConcern: { w: 3 } }],
  ['transactions', { find: 'c', txnNumber: 1, startTransaction: true, autocommit: false }],
] as [string, Document][])('names %s in the refusal of %j', async (name, command) => {
  const error: unknown = await db.command(command).then(
    () => 'it succeeded',
    (reason: unknown) => reason,
  );
  const message =
    error instanceof MongoServerError
      ? error.message
      : JSON.stringify((error as { writeErrors?: unknown }).writeErrors ?? error);
  expect(message).toContain(name);
});

it('refuses a transaction in the driver or the server', async () => {
  const work = client.withSession((session) =>
    session.withTransaction(async () => {
      await db.collection('c').insertOne({ a: 2 }, { session });
    }),
  );
  await expect(work).rejects.toThrow();
  expect(await db.collection('c').countDocuments({ a: 2 })).toBe(0);
});
