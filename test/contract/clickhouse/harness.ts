import { randomBytes } from 'node:crypto';
import { type ClickHouseClient, ClickHouseError, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { sharedClickHouse } from './shared-engine';

/** The server under contract: the embedded engine, or the one that ATTEST_TEST_CLICKHOUSE_URL names. */
export interface Server {
  url: string;
  /** The user `default`, in a database that only this file uses. */
  client: ClickHouseClient;
  /** A user that may read and nothing else, in the same database. */
  analyst: ClickHouseClient;
  database: string;
  /** A name that no other test uses. */
  name(prefix: string): string;
  /** Makes a table of these columns, a MergeTree ordered by the first one unless told otherwise; gives its name. */
  table(columns: string, engine?: string): Promise<string>;
  /** A request as any HTTP tool would make it: parameters go to the query string. */
  http(parameters: Record<string, string>, init?: RequestInit): Promise<Response>;
}

/** The server for the tests of a file, with a database of their own, which is removed afterwards. */
export function server(): Server {
  const started = {} as Server;
  const log = { level: ClickHouseLogLevel.OFF }; // what fails is told to the test
  const run = randomBytes(4).toString('hex');
  let next = 0;

  beforeAll(async () => {
    const external = process.env.ATTEST_TEST_CLICKHOUSE_URL;
    const url = external ?? (await sharedClickHouse());
    const database = `contract_${run}`;
    const root = createClient({ url });
    await root.command({ query: `CREATE DATABASE ${database}` });
    if (external) {
      await root.command({
        query: 'CREATE USER IF NOT EXISTS analyst IDENTIFIED WITH no_password SETTINGS readonly = 1',
      });
      await root.command({ query: 'GRANT SELECT, SHOW, dictGet ON *.* TO analyst' });
    }
    await root.close();
    Object.assign(started, {
      url,
      database,
      client: createClient({ url, database, log }),
      analyst: createClient({ url, database, username: 'analyst', log }),
      name: (prefix) => `${prefix}_${run}_${next++}`,
      async table(columns, tableEngine) {
        const name = started.name('t');
        const ordered = /^`?(\w+)/.exec(columns)?.[1];
        const of = tableEngine ?? `MergeTree ORDER BY ${ordered}`;
        await started.client.command({ query: `CREATE TABLE ${name} (${columns}) ENGINE = ${of}` });
        return name;
      },
      http: (parameters, init) => fetch(`${url}/?${new URLSearchParams({ database, ...parameters }).toString()}`, init),
    } satisfies Server);
  });

  afterAll(async () => {
    await started.client.command({ query: `DROP DATABASE ${started.database}` });
    await started.client.close();
    await started.analyst.close();
  });

  return started;
}

/** The server's error that `work` fails with; fails the test when it does not. */
export async function serverError(work: Promise<unknown>): Promise<ClickHouseError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof ClickHouseError) return error;
    throw error;
  }
  throw new Error('The query succeeded');
}

/** Code and name of that error, as in `['60', 'UNKNOWN_TABLE']`. */
export async function errorOf(work: Promise<unknown>): Promise<[code: string, type: string | undefined]> {
  const { code, type } = await serverError(work);
  return [code, type];
}

/** The rows of a query as objects. */
export async function rows<Row>(client: ClickHouseClient, query: string): Promise<Row[]> {
  return (await client.query({ query, format: 'JSONEachRow' })).json<Row>();
}

/** The first column of the first row, as text. */
export async function value(client: ClickHouseClient, query: string): Promise<string> {
  const text = await (await client.query({ query, format: 'TabSeparatedRaw' })).text();
  return text.replace(/\n$/, '');
}

/** Resolves once `holds` gives true. The test's own time limit ends the wait. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise(setImmediate);
}
