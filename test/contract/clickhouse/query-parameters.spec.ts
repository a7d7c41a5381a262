import { TupleParam } from '@clickhouse/client';
import { errorOf, rows, server } from './harness';

const ch = server();

/** What a parameter of this type comes back as. */
async function echoed(type: string, v: unknown): Promise<unknown> {
  const answer = await ch.client.query({
    query: `SELECT {v: ${type}} AS v`,
    query_params: { v },
    format: 'JSONEachRow',
  });
  const [row] = await answer.json<{ v: unknown }>();
  return row!.v;
}

test.each([
  ['quotes', `it's "quoted" \`so\` ''`],
  ['backslashes', 'a\\b\\\\c\\n\\'],
  ['tabs, line feeds, carriage returns', 'a\tb\nc\r\nd'],
  ['unicode', 'ä 日本語 🎓 \u2028 \u0301'],
  ['SQL', "'; DROP TABLE x; --"],
  ['a placeholder', '{v: String}'],
  ['nothing', ''],
  ['what means NULL elsewhere', 'NULL'],
  ['percent signs and pluses', '100%25 + 1 & 2 = 3'],
])('a string of %s', async (_what, text) => {
  expect(await echoed('String', text)).toBe(text);
  expect(await echoed('Array(String)', [text, 'x'])).toEqual([text, 'x']);
});

test.each([
  ['UInt8', 7, 7],
  ['Int32', -5, -5],
  ['Float64', 1.5, 1.5],
  ['Bool', true, true],
  ['Date', '2026-02-28', '2026-02-28'],
  ["DateTime('UTC')", new Date('2026-02-28T01:02:03Z'), '2026-02-28 01:02:03'],
  ["DateTime64(3, 'UTC')", new Date('2026-02-28T01:02:03.456Z'), '2026-02-28 01:02:03.456'],
  ['Nullable(String)', null, null],
  ['Nullable(UInt32)', 3, 3],
  ['Array(UInt32)', [], []],
  ['Array(UInt32)', [1, 2, 3], [1, 2, 3]],
  ['Array(Nullable(String))', ['a', null], ['a', null]],
  ['Array(Array(Int8))', [[1], [], [-2, 3]], [[1], [], [-2, 3]]],
  ['Map(String, UInt32)', { a: 1, "b'": 2 }, { a: 1, "b'": 2 }],
  ['Tuple(UInt8, String)', new TupleParam([1, "x'"]), [1, "x'"]],
  ['UUID', '6f2d0d0e-6f2b-4a53-9c55-0b5a4f7a3b11', '6f2d0d0e-6f2b-4a53-9c55-0b5a4f7a3b11'],
])('%s', async (type, given, expected) => {
  expect(await echoed(type, given)).toEqual(expected);
});

test('a 64-bit integer keeps every digit', async () => {
  expect(await echoed('String', String(2n ** 63n - 1n))).toBe('9223372036854775807');
  const answer = await ch.client.query({
    query: 'SELECT toString({v: UInt64}) AS v',
    query_params: { v: 2n ** 64n - 1n },
    format: 'JSONEachRow',
  });
  expect(await answer.json()).toEqual([{ v: '18446744073709551615' }]);
});

test('names of tables and columns', async () => {
  const table = await ch.table('id UInt32, name String');
  await ch.client.command({ query: `INSERT INTO ${table} VALUES (1, 'a')` });
  const answer = await ch.client.query({
    query: 'SELECT {column: Identifier} AS v FROM {table: Identifier}',
    query_params: { table, column: 'name' },
    format: 'JSONEachRow',
  });
  expect(await answer.json()).toEqual([{ v: 'a' }]);
});

test('a command takes parameters too', async () => {
  const table = await ch.table('id UInt32, name String');
  await ch.client.command({
    query: `INSERT INTO ${table} SELECT number, {name: String} FROM numbers(2)`,
    query_params: { name: "it's" },
  });
  await ch.client.command({
    query: `ALTER TABLE ${table} DELETE WHERE id = {id: UInt32}`,
    query_params: { id: 0 },
    clickhouse_settings: { mutations_sync: '2' },
  });
  expect(await rows(ch.client, `SELECT * FROM ${table}`)).toEqual([{ id: 1, name: "it's" }]);
});

test('what is missing or does not fit is an error, also after a query that had it', async () => {
  await echoed('String', 'x');
  expect(await errorOf(ch.client.query({ query: 'SELECT {v: String}' }))).toEqual(['456', 'UNKNOWN_QUERY_PARAMETER']);
  expect((await errorOf(echoed('UInt8', 'no number')))[1]).toMatch(/BAD_QUERY_PARAMETER|CANNOT_PARSE/);
});
