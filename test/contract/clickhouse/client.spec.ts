import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { errorOf, rows, server, value } from './harness';

const clickhouse = server();

it('answers a ping, with and without a query', async () => {
  expect(await clickhouse.client.ping()).toEqual({ success: true });
  expect(await clickhouse.client.ping({ select: true })).toEqual({ success: true });
});

it('says which version it is', async () => {
  expect(await value(clickhouse.client, 'SELECT version()')).toMatch(/^\d+\.\d+\.\d+/);
});

describe('results', () => {
  it.each([
    ['JSONEachRow', [{ n: 0, s: '0' }, { n: 1, s: '1' }]],
    ['JSONStringsEachRow', [{ n: '0', s: '0' }, { n: '1', s: '1' }]],
    ['JSONCompactEachRow', [[0, '0'], [1, '1']]],
    ['JSONCompactEachRowWithNames', [['n', 's'], [0, '0'], [1, '1']]],
    ['JSONCompactEachRowWithNamesAndTypes', [['n', 's'], ['UInt32', 'String'], [0, '0'], [1, '1']]],
  ] as const)('come as %s', async (format, expected) => {
    const query = 'SELECT toUInt32(number) AS n, toString(number) AS s FROM numbers(2)';
    expect(await (await clickhouse.client.query({ query, format })).json()).toEqual(expected);
  }); // prettier-ignore

  it.each(['JSON', 'JSONStrings', 'JSONCompact', 'JSONColumnsWithMetadata'] as const)(
    'come as %s with names, types and a count',
    async (format) => {
      const query = 'SELECT toUInt32(number) AS n FROM numbers(3)';
      const result = await (await clickhouse.client.query({ query, format })).json();
      expect(result).toMatchObject({ meta: [{ name: 'n', type: 'UInt32' }], rows: 3 });
    },
  );

  it.each([
    ['CSV', '1,"a"\n'],
    ['CSVWithNames', '"n","s"\n1,"a"\n'],
    ['CSVWithNamesAndTypes', '"n","s"\n"UInt8","String"\n1,"a"\n'],
    ['TabSeparated', '1\ta\n'],
    ['TabSeparatedWithNames', 'n\ts\n1\ta\n'],
    ['CustomSeparated', '1\ta\n'],
  ] as const)('come as %s', async (format, expected) => {
    expect(await (await clickhouse.client.query({ query: "SELECT 1 AS n, 'a' AS s", format })).text()).toBe(expected);
  });

  it('keep their types: 64-bit integers, decimals, dates, nulls, arrays, maps, tuples, enums, UUIDs', async () => {
    const query = `
      SELECT toInt64('9007199254740993') AS big, toDecimal64('1.50', 2) AS decimal, NULL AS nothing, [1, 2] AS numbers,
        map('k', 'v') AS pairs, tuple(1, 'x') AS both, toDate('2026-01-02') AS day,
        toDateTime64('2026-01-02 03:04:05.678', 3, 'UTC') AS moment, toUUID('6f2d0d0e-6f2b-4a53-9c55-0b5a4f7a3b11') AS id,
        CAST('on', 'Enum8(\\'on\\' = 1)') AS state, true AS flag
      SETTINGS output_format_json_quote_64bit_integers = 1, output_format_json_quote_decimals = 1`;
    expect(await rows(clickhouse.client, query)).toEqual([
      {
        big: '9007199254740993',
        decimal: '1.5',
        nothing: null,
        numbers: [1, 2],
        pairs: { k: 'v' },
        both: [1, 'x'],
        day: '2026-01-02',
        moment: '2026-01-02 03:04:05.678',
        id: '6f2d0d0e-6f2b-4a53-9c55-0b5a4f7a3b11',
        state: 'on',
        flag: true,
      },
    ]);
  });

  it('say which query they are of and what was read', async () => {
    const query_id = clickhouse.name('query');
    const result = await clickhouse.client.query({
      query: 'SELECT number FROM numbers(10)',
      query_id,
      clickhouse_settings: { wait_end_of_query: 1 },
    });
    await result.text();
    expect(result.query_id).toBe(query_id);
    const summary = JSON.parse(String(result.response_headers['x-clickhouse-summary'])) as { read_rows: string };
    expect(summary.read_rows).toBe('10');
  });

  it('of the statements that show and explain are results as well', async () => {
    const table = await clickhouse.table('a Int32, b String');
    expect(await rows(clickhouse.client, `SHOW TABLES LIKE '${table}'`)).toEqual([{ name: table }]);
    expect(await rows(clickhouse.client, `EXISTS TABLE ${table}`)).toEqual([{ result: 1 }]);
    expect(await rows(clickhouse.client, `DESCRIBE TABLE ${table}`)).toMatchObject([
      { name: 'a', type: 'Int32' },
      { name: 'b', type: 'String' },
    ]);
    expect(await value(clickhouse.client, `SHOW CREATE TABLE ${table}`)).toMatch(/MergeTree/);
    expect((await rows(clickhouse.client, `EXPLAIN SELECT * FROM ${table}`)).length).toBeGreaterThan(0);
  });
});

describe('inserts', () => {
  it('of objects say how many rows they wrote', async () => {
    const table = await clickhouse.table('a Int32, b Nullable(String)');
    const values = [{ a: 1, b: 'x' }, { a: 2, b: null }, { a: 3 }];
    const { executed, summary } = await clickhouse.client.insert({ table, values, format: 'JSONEachRow' });
    expect({ executed, written: summary?.written_rows }).toEqual({ executed: true, written: '3' });
    expect(await rows(clickhouse.client, `SELECT * FROM ${table} ORDER BY a`)).toEqual([
      { a: 1, b: 'x' },
      { a: 2, b: null },
      { a: 3, b: null },
    ]);
  });

  it.each([
    ['JSONCompactEachRow', [[1, 'x'], [2, 'y']]],
    ['JSONCompactEachRowWithNames', [['a', 'b'], [1, 'x'], [2, 'y']]],
    ['JSONColumnsWithMetadata', { meta: [{ name: 'a', type: 'Int32' }, { name: 'b', type: 'String' }], data: { a: [1, 2], b: ['x', 'y'] } }],
  ] as const)('of %s', async (format, values) => {
    const table = await clickhouse.table('a Int32, b String');
    await clickhouse.client.insert({ table, values: values as never, format });
    expect(await rows(clickhouse.client, `SELECT * FROM ${table} ORDER BY a`)).toEqual([{ a: 1, b: 'x' }, { a: 2, b: 'y' }]);
  }); // prettier-ignore

  it('of chosen columns leave the defaults to the others', async () => {
    const table = await clickhouse.table("a Int32, b String DEFAULT 'given', c Int32 MATERIALIZED a * 2");
    await clickhouse.client.insert({ table, values: [{ a: 1 }], columns: ['a'], format: 'JSONEachRow' });
    await clickhouse.client.insert({ table, values: [{ a: 2 }], columns: { except: ['b'] }, format: 'JSONEachRow' });
    expect(await rows(clickhouse.client, `SELECT a, b, c FROM ${table} ORDER BY a`)).toEqual([
      { a: 1, b: 'given', c: 2 },
      { a: 2, b: 'given', c: 4 },
    ]);
  });

  it('of no rows do nothing', async () => {
    const table = await clickhouse.table('a Int32');
    const { executed } = await clickhouse.client.insert({ table, values: [], format: 'JSONEachRow' });
    expect(executed).toBe(false);
    expect(await value(clickhouse.client, `SELECT count() FROM ${table}`)).toBe('0');
  });

  it('of a row that does not fit store nothing of the batch', async () => {
    const table = await clickhouse.table('a Int32');
    const values = [{ a: 1 }, { a: 'no number' }];
    const [code] = await errorOf(clickhouse.client.insert({ table, values, format: 'JSONEachRow' }));
    expect(['26', '27', '53', '72']).toContain(code);
    expect(await value(clickhouse.client, `SELECT count() FROM ${table}`)).toBe('0');
  });

  it('keep every character', async () => {
    const table = await clickhouse.table('a Int32, b String');
    const awkward = ['', "it's", 'a\\b', 'tab\t', 'line\nline', 'NUL\0', 'ü', '日本語', '🎓', '"quoted"', '\u2028', '; DROP TABLE x'];
    await clickhouse.client.insert({ table, values: awkward.map((b, a) => ({ a, b })), format: 'JSONEachRow' });
    const read = await rows<{ b: string }>(clickhouse.client, `SELECT b FROM ${table} ORDER BY a`);
    expect(read.map(({ b }) => b)).toEqual(awkward);
  }); // prettier-ignore

  it('from a SELECT and of literal values go as commands', async () => {
    const table = await clickhouse.table('a Int32, b String');
    await clickhouse.client.command({ query: `INSERT INTO ${table} SELECT number, 'n' FROM numbers(3)` });
    await clickhouse.client.command({ query: `INSERT INTO ${table} VALUES (3, 'v;'), (4, concat('a', 'b'))` });
    expect(await value(clickhouse.client, `SELECT groupArray(b) FROM (SELECT b FROM ${table} ORDER BY a)`)).toBe(
      "['n','n','n','v;','ab']",
    );
  });
});

describe('errors', () => {
  it.each([
    ['selec 1', ['62', 'SYNTAX_ERROR']],
    ['SELECT * FROM nowhere_to_be_found', ['60', 'UNKNOWN_TABLE']],
    ['SELECT * FROM no_database.t', ['81', 'UNKNOWN_DATABASE']],
    ['SELECT no_column', ['47', 'UNKNOWN_IDENTIFIER']],
    ['SELECT no_function(1)', ['46', 'UNKNOWN_FUNCTION']],
    ["SELECT 1 + 'x'", ['43', 'ILLEGAL_TYPE_OF_ARGUMENT']],
    ["SELECT toInt32('x')", ['6', 'CANNOT_PARSE_TEXT']],
    ['SELECT throwIf(1)', ['395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO']],
    ['SELECT 1 FORMAT NoSuchFormat', ['73', 'UNKNOWN_FORMAT']],
    ['SELECT 1 SETTINGS no_such_setting = 1', ['115', 'UNKNOWN_SETTING']],
  ])('of %s have their code and name', async (query, expected) => {
    expect(await errorOf(clickhouse.client.exec({ query }))).toEqual(expected);
  });

  it('of commands have theirs', async () => {
    const table = await clickhouse.table('a Int32');
    const again = clickhouse.client.command({ query: `CREATE TABLE ${table} (a Int32) ENGINE = Memory` });
    expect(await errorOf(again)).toEqual(['57', 'TABLE_ALREADY_EXISTS']);
    expect(await errorOf(clickhouse.client.command({ query: 'DROP TABLE never_made' }))).toEqual([
      '60',
      'UNKNOWN_TABLE',
    ]);
  });

  it('say in which database nothing was found', async () => {
    const elsewhere = createClient({
      url: clickhouse.url,
      database: 'no_such_database',
      log: { level: ClickHouseLogLevel.OFF },
    });
    expect(await errorOf(elsewhere.query({ query: 'SELECT * FROM t' }))).toEqual(['81', 'UNKNOWN_DATABASE']);
    await elsewhere.close();
  });

  it('leave the connection usable', async () => {
    for (let i = 0; i < 20; i++) await errorOf(clickhouse.client.query({ query: `SELECT no_column_${i}` }));
    expect(await value(clickhouse.client, 'SELECT 1')).toBe('1');
  });
});
