import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Collection, type Db, type Document, MongoClient, MongoServerError } from 'mongodb';
import { type Engine } from '../../../infra/embedded/engine';
import { startMongo } from '../../../infra/embedded/mongo';

/** Any document, with an `_id` of any type. */
export interface AnyDocument {
  _id?: object | string | number | null;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  [field: string]: any;
}

/** The server under contract: the embedded engine, or the one that ATTEST_TEST_MONGODB_URL names. */
export interface Server {
  client: MongoClient;
  url: string;
  db: Db;
  /** An empty collection of a new name, with these documents. */
  collection(documents?: AnyDocument[]): Promise<Collection<AnyDocument>>;
}

/** Starts the server before the tests of a file, with a database of their own, and removes both afterwards. */
export function server(): Server {
  let engine: Engine | undefined;
  let dataDir: string | undefined;
  let next = 0;
  const started = {} as Server;

  beforeAll(async () => {
    const external = process.env.ATTEST_TEST_MONGODB_URL;
    if (!external) {
      dataDir = await mkdtemp(join(tmpdir(), 'attest-mongo-contract-'));
      engine = await startMongo({ dataDir, port: 0 });
    }
    started.url = external ?? engine!.url;
    started.client = await MongoClient.connect(started.url);
    started.db = started.client.db(`contract_${randomBytes(6).toString('hex')}`);
    started.collection = async (documents = []) => {
      const collection = started.db.collection<AnyDocument>(`c${next++}`);
      if (documents.length > 0) await collection.insertMany(documents);
      return collection;
    };
  });

  afterAll(async () => {
    await started.db.dropDatabase();
    await started.client.close();
    await engine?.close();
    if (dataDir) await rm(dataDir, { recursive: true, force: true });
  });

  return started;
}

/** The server's error that `work` fails with; fails the test when it does not. */
export async function serverError(work: Promise<unknown>): Promise<MongoServerError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof MongoServerError) return error;
    throw error;
  }
  throw new Error('The command succeeded');
}

/** The code of that error. */
export async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return (await serverError(work)).code;
}

/** The `_id`s that a query finds, in the order of the `_id`s. */
export async function idsOf(collection: Collection<AnyDocument>, filter: Document): Promise<unknown[]> {
  const found = await collection.find(filter).project({ _id: 1 }).sort({ _id: 1 }).toArray();
  return found.map(({ _id }) => _id as unknown);
}
