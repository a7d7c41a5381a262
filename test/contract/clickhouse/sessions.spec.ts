import { randomUUID } from 'node:crypto';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { errorOf, rows, server } from './harness';

const ch = server();

async function within<Result>(work: (client: ClickHouseClient, session: string) => Promise<Result>): Promise<Result> {
  const session = randomUUID();
  const client = createClient({ url: ch.url, database: ch.database, session_id: session, max_open_connections: 4 });
  try {
    return await work(client, session);
  } finally {
    await client.close();
  }
}

test('a temporary table lives as long as its session and is seen by it alone', async () => {
  await within(async (one) => {
    await one.command({ query: 'CREATE TEMPORARY TABLE mine (id UInt32)' });
    await one.insert({ table: 'mine', values: [{ id: 1 }, { id: 2 }], format: 'JSONEachRow' });
    expect(await rows(one, 'SELECT id FROM mine ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
    await within(async (other) => {
      expect(await errorOf(rows(other, 'SELECT * FROM mine'))).toEqual(['60', 'UNKNOWN_TABLE']);
    });
    expect(await errorOf(rows(ch.client, 'SELECT * FROM mine'))).toEqual(['60', 'UNKNOWN_TABLE']);
  });
});

test('SET lasts for the session; a setting of one request does not', async () => {
  const threads = "SELECT toUInt32(getSetting('max_block_size')) AS v";
  await within(async (client) => {
    await client.command({ query: 'SET max_block_size = 777' });
    expect(await rows(client, threads)).toEqual([{ v: 777 }]);
    const once = await client.query({
      query: threads,
      format: 'JSONEachRow',
      clickhouse_settings: { max_block_size: '888' },
    });
    expect(await once.json()).toEqual([{ v: 888 }]);
    expect(await rows(client, threads)).toEqual([{ v: 777 }]);
    await within(async (other) => expect(await rows(other, threads)).not.toEqual([{ v: 777 }]));
  });
  expect(await rows(ch.client, threads)).not.toEqual([{ v: 777 }]);
});

test('a session runs one query at a time and says so', async () => {
  await within(async (client) => {
    const queries = Array.from({ length: 3 }, () => rows(client, 'SELECT sleep(0.5) AS slept'));
    const settled = await Promise.allSettled(queries);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const refused = settled.findIndex(({ status }) => status === 'rejected');
    expect(await errorOf(queries[refused]!)).toEqual(['373', 'SESSION_IS_LOCKED']);
    expect(await rows(client, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });
});

test('a query that fails leaves its session usable', async () => {
  await within(async (client) => {
    await client.command({ query: 'CREATE TEMPORARY TABLE mine (id UInt32)' });
    expect((await errorOf(rows(client, 'SELECT throwIf(1)')))[0]).toBe('395');
    expect(await rows(client, 'SELECT toUInt32(count()) AS n FROM mine')).toEqual([{ n: 0 }]);
  });
});

test('session_check asks for a session that there is, and session_timeout has a limit', async () => {
  const session_id = randomUUID();
  const code = async (parameters: Record<string, string>): Promise<string | null> => {
    const answer = await ch.http({ session_id, ...parameters }, { method: 'POST', body: 'SELECT 1' });
    await answer.text();
    return answer.headers.get('x-clickhouse-exception-code');
  };
  expect(await code({ session_check: '1' })).toBe('372');
  expect(await code({ session_timeout: '100000' })).toBe('374');
  expect(await code({})).toBeNull();
  expect(await code({ session_check: '1' })).toBeNull();
});

test.each([
  ['a setting of the request', { query: 'SELECT 1', clickhouse_settings: { max_block_size: '888' } }],
  ['a setting of the statement', { query: 'SELECT 1 SETTINGS max_block_size = 888' }],
  ['SET', { query: 'SET max_block_size = 888' }],
  ['USE', { query: 'USE system' }],
  ['a temporary table', { query: 'CREATE TEMPORARY TABLE left_over (id UInt32)' }],
])('without a session, %s is gone with its request', async (_what, statement) => {
  // Each as often as queries run at a time, so that no way to answer them is left out.
  const several = Array.from({ length: 20 });
  const state = "SELECT toUInt32(getSetting('max_block_size')) AS size, currentDatabase() AS db";
  const before = await rows(ch.client, state);
  await Promise.all(several.map(() => ch.client.command(statement)));
  const after = await Promise.all(several.map(() => rows(ch.client, state)));
  expect(after).toEqual(several.map(() => before));
  const found = await Promise.all(several.map(() => errorOf(rows(ch.client, 'SELECT * FROM left_over'))));
  expect(found).toEqual(several.map(() => ['60', 'UNKNOWN_TABLE']));
});
