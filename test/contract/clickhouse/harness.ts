import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClickHouseError, type ClickHouseClient, createClient } from '@clickhouse/client';
import { type ChildEngine, startEngineProcess } from '../../../infra/embedded/child';

/** The server under contract: the embedded engine, or the one that ATTEST_TEST_CLICKHOUSE_URL names. */
export interface Server {
  url: string;
  /** A client whose database belongs to this file. */
  client: ClickHouseClient;
  database: string;
  /** Whether this is the embedded engine: a few checks are about it alone. */
  embedded: boolean;
  /** An empty MergeTree table of a new name. */
  table(columns: string, order?: string): Promise<string>;
  /** The rows of a query, as objects. */
  rows<Row = Record<string, unknown>>(query: string): Promise<Row[]>;
  /** One HTTP request without any client library, in this file's database unless the parameters name one. */
  http(parameters: Record<string, string>, init?: RequestInit): Promise<Response>;
}

/** Starts the server before the tests of a file, with a database of their own, and removes both afterwards. */
export function server(): Server {
  let engine: ChildEngine | undefined;
  let dataDir: string | undefined;
  let next = 0;
  const started = {} as Server;

  beforeAll(async () => {
    const external = process.env.ATTEST_TEST_CLICKHOUSE_URL;
    if (!external) {
      dataDir = await mkdtemp(join(tmpdir(), 'attest-clickhouse-contract-'));
      engine = await startEngineProcess('clickhouse', { dataDir, port: 0 });
    }
    started.embedded = !external;
    started.url = external ?? engine!.url;
    started.database = `contract_${randomBytes(6).toString('hex')}`;
    const root = createClient({ url: started.url });
    await root.command({ query: `CREATE DATABASE ${started.database}` });
    await root.close();
    started.client = createClient({ url: started.url, database: started.database, request_timeout: 60_000 });
    started.table = async (columns, order = 'tuple()') => {
      const name = `t${next++}`;
      await started.client.command({ query: `CREATE TABLE ${name} (${columns}) ENGINE = MergeTree ORDER BY ${order}` });
      return name;
    };
    started.rows = async (query) => (await started.client.query({ query, format: 'JSONEachRow' })).json();
    started.http = (parameters, init) =>
      fetch(`${started.url}/?${new URLSearchParams({ database: started.database, ...parameters }).toString()}`, init);
  });

  afterAll(async () => {
    await started.client.command({ query: `DROP DATABASE IF EXISTS ${started.database}` });
    await started.client.close();
    await engine?.close();
    if (dataDir) await rm(dataDir, { recursive: true, force: true });
  });

  return started;
}

/** The code and name of the server's error that `work` fails with; fails the test when it does not. */
export async function errorOf(work: Promise<unknown>): Promise<{ code: number; type: string; message: string }> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ClickHouseError)) throw error;
    return { code: Number(error.code), type: error.type ?? '', message: error.message };
  }
  throw new Error('The query succeeded');
}
