import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { createClient } from '@clickhouse/client';
import { errorOf, rows, server } from './harness';

const ch = server();

const count = async (table: string): Promise<number> =>
  Number((await rows<{ n: string }>(ch.client, `SELECT count() AS n FROM ${table}`))[0]!.n);

test('rows as objects, and columns that are left out take their default', async () => {
  const table = await ch.table("id UInt32, name String DEFAULT 'none'");
  await ch.client.insert({
    table,
    values: [
      { id: 1, name: 'ä; \' " \\ \t \n' },
      { id: 2, name: '' },
    ],
    format: 'JSONEachRow',
  });
  await ch.client.insert({ table, values: [{ id: 3 }], columns: ['id'], format: 'JSONEachRow' });
  await ch.client.insert({
    table,
    values: [{ id: 4 }],
    columns: { except: ['name'] },
    format: 'JSONEachRow',
  });
  expect(await rows(ch.client, `SELECT * FROM ${table} ORDER BY id`)).toEqual([
    { id: 1, name: 'ä; \' " \\ \t \n' },
    { id: 2, name: '' },
    { id: 3, name: 'none' },
    { id: 4, name: 'none' },
  ]);
});

test('other formats of the client: JSONCompactEachRow, CSV and TSV as streams of text', async () => {
  const table = await ch.table('id UInt32, name String');
  await ch.client.insert({ table, values: [[1, 'a']], format: 'JSONCompactEachRow' });
  await ch.client.insert({
    table,
    values: Readable.from(['2,"b, ""quoted"""\n', '3,c\n'], { objectMode: false }),
    format: 'CSV',
  });
  await ch.client.insert({
    table,
    values: Readable.from(['id\tname\n4\t', 'd\\te\n'], { objectMode: false }),
    format: 'TabSeparatedWithNames',
  });
  expect(await rows(ch.client, `SELECT * FROM ${table} ORDER BY id`)).toEqual([
    { id: 1, name: 'a' },
    { id: 2, name: 'b, "quoted"' },
    { id: 3, name: 'c' },
    { id: 4, name: 'd\te' },
  ]);
});

test('an object stream, and no rows at all', async () => {
  const table = await ch.table('id UInt32');
  await ch.client.insert({ table, values: Readable.from(objects(5_000)), format: 'JSONEachRow' });
  await ch.client.insert({ table, values: [], format: 'JSONEachRow' });
  await ch.client.insert({ table, values: Readable.from([]), format: 'JSONEachRow' });
  expect(await count(table)).toBe(5_000);
});

function* objects(total: number): Generator<{ id: number }> {
  for (let id = 0; id < total; id++) yield { id };
}

test('200,000 rows at once', async () => {
  const table = await ch.table('id UInt32, note String');
  const values = Array.from({ length: 200_000 }, (_, id) => ({ id, note: `row ${id}` }));
  const { query_id, summary } = await ch.client.insert({ table, values, format: 'JSONEachRow' });
  expect(query_id).toMatch(/^[0-9a-f-]{36}$/);
  expect(summary).toBeDefined();
  const [sums] = await rows(ch.client, `SELECT count() AS n, sum(id) AS ids, uniqExact(note) AS notes FROM ${table}`);
  expect(sums).toEqual({ n: 200_000, ids: 19_999_900_000, notes: 200_000 });
});

test('a row that does not fit: the error names it and nothing of the insert is kept', async () => {
  const table = await ch.table('id UInt32');
  const values = [{ id: 1 }, { id: 'not a number' }];
  const [, type] = await errorOf(ch.client.insert({ table, values, format: 'JSONEachRow' }));
  expect(type).toMatch(/^CANNOT_PARSE/);
  const unknown = ch.client.insert({
    table,
    values: [{ id: 1, other: 2 }],
    format: 'JSONEachRow',
    clickhouse_settings: { input_format_skip_unknown_fields: 0 },
  });
  expect(await errorOf(unknown)).toEqual(['117', 'INCORRECT_DATA']);
  expect(await count(table)).toBe(0);
});

test('a gzipped body, from the client and by hand', async () => {
  const table = await ch.table('id UInt32');
  const client = createClient({ url: ch.url, database: ch.database, compression: { request: true, response: true } });
  await client.insert({ table, values: [...objects(10_000)], format: 'JSONEachRow' });
  const answer = await client.query({ query: `SELECT id FROM ${table} ORDER BY id`, format: 'JSONEachRow' });
  expect(await answer.json()).toHaveLength(10_000);
  await client.close();
  const sent = await ch.http(
    { query: `INSERT INTO ${table} FORMAT CSV` },
    { method: 'POST', body: gzipSync('20000\n'), headers: { 'Content-Encoding': 'gzip' } },
  );
  expect(sent.status).toBe(200);
  expect(await count(table)).toBe(10_001);
});

test('Parquet goes out and comes back in', async () => {
  const columns =
    "id UInt32, name LowCardinality(String), at DateTime64(3, 'UTC'), tags Array(String), score Nullable(Float64)";
  const from = await ch.table(columns);
  const to = await ch.table(columns);
  await ch.client.command({
    query: `INSERT INTO ${from} SELECT number, toString(number % 7), toDateTime64(1700000000 + number, 3, 'UTC'), ['a', 'b'],
      if(number % 2 = 0, NULL, number / 3) FROM numbers(10000)`,
  });
  const out = await ch.client.exec({ query: `SELECT * FROM ${from} ORDER BY id FORMAT Parquet` });
  await ch.client.exec({ query: `INSERT INTO ${to} FORMAT Parquet`, values: out.stream });
  const checksum = (table: string): Promise<unknown[]> =>
    rows(ch.client, `SELECT count() AS n, sum(cityHash64(*)) AS h FROM ${table}`);
  expect(await checksum(to)).toEqual(await checksum(from));
});

test.each([
  ['VALUES', `INSERT INTO {t} VALUES (1, 'semi;colon'), (2, 'it''s')`, 2],
  ['lower case', `insert into {t} (format, values) values (1, 'FORMAT CSV')`, 1],
  ['INSERT ... SELECT', `INSERT INTO {t} SELECT number, 'x; FORMAT CSV' FROM numbers(3)`, 3],
  ['INSERT ... WITH', `INSERT INTO {t} WITH 3 AS three SELECT three, 'FORMAT' FROM numbers(2)`, 2],
  [
    'columns named like keywords',
    `INSERT INTO {t} (format, values) SELECT number AS format, 'v' AS values FROM numbers(4)`,
    4,
  ],
  ['a comment first', `/* FORMAT CSV; */ -- ;\nINSERT INTO {t} VALUES (1, '--') ;`, 1],
  ['data in the statement', `INSERT INTO {t} FORMAT CSV\n1,"a;b"\n2,b\n`, 2],
  [
    'SETTINGS before FORMAT',
    `INSERT INTO {t} (format) SETTINGS input_format_csv_allow_whitespace_or_tab_as_delimiter = 0 FORMAT CSV\n5\n6\n`,
    2,
  ],
  ['FORMAT Values', `INSERT INTO {t} FORMAT Values (1, 'a'), (2, ';')`, 2],
])('an INSERT as a statement: %s', async (_what, statement, rows) => {
  const table = await ch.table('format UInt32, values String');
  const sent = await ch.http({}, { method: 'POST', body: statement.replaceAll('{t}', table) });
  expect([sent.status, await sent.text()]).toEqual([200, '']);
  expect(await count(table)).toBe(rows);
});

test('INSERT INTO FUNCTION', async () => {
  const table = await ch.table('id UInt32');
  await ch.client.command({ query: `INSERT INTO FUNCTION null('id UInt32') SELECT number FROM numbers(3)` });
  expect(await count(table)).toBe(0);
});
