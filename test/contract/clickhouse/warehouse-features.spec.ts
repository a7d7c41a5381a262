/** What a warehouse of facts asks of ClickHouse itself. */
import { rows, server, until, value } from './harness';

const clickhouse = server();
const command = (query: string): Promise<unknown> => clickhouse.client.command({ query });

it('ReplacingMergeTree keeps the newest version of a row, at once with FINAL', async () => {
  const table = await clickhouse.table('id UInt32, version UInt32, name String', 'ReplacingMergeTree(version) ORDER BY id');
  await command(`INSERT INTO ${table} VALUES (1, 2, 'new')`);
  await command(`INSERT INTO ${table} VALUES (1, 1, 'old')`);
  expect(await rows(clickhouse.client, `SELECT id, name FROM ${table} FINAL`)).toEqual([{ id: 1, name: 'new' }]);
  await command(`OPTIMIZE TABLE ${table} FINAL`);
  expect(await value(clickhouse.client, `SELECT count() FROM ${table}`)).toBe('1');
}); // prettier-ignore

it('a table becomes one part when it is old enough', async () => {
  const table = await clickhouse.table(
    'id UInt32',
    'MergeTree ORDER BY id SETTINGS min_age_to_force_merge_seconds = 1',
  );
  // So unequal that ClickHouse would leave them as they are by itself.
  for (const count of [100_000, 10]) await command(`INSERT INTO ${table} SELECT number FROM numbers(${count})`);
  await until(async () => {
    const [parts] = await rows<{ n: number }>(clickhouse.client, `SELECT uniqExact(_part)::UInt32 AS n FROM ${table}`);
    return parts!.n === 1;
  });
  expect(await value(clickhouse.client, `SELECT count() FROM ${table}`)).toBe('100010');
});

it('a materialized view derives its rows from each insert', async () => {
  const facts = await clickhouse.table('course String, score Float64');
  const totals = await clickhouse.table('course String, n SimpleAggregateFunction(sum, UInt64)', 'AggregatingMergeTree ORDER BY course');
  await command(`CREATE MATERIALIZED VIEW mv_${totals} TO ${totals} AS SELECT course, count() AS n FROM ${facts} GROUP BY course`);
  for (const course of ['AAA', 'BBB', 'AAA']) await command(`INSERT INTO ${facts} VALUES ('${course}', 1)`);
  expect(await rows(clickhouse.client, `SELECT course, toUInt32(sum(n)) AS n FROM ${totals} GROUP BY course ORDER BY course`)).toEqual([
    { course: 'AAA', n: 2 },
    { course: 'BBB', n: 1 },
  ]);
}); // prettier-ignore

it('argMax finds the last value, also with its state kept', async () => {
  const table = await clickhouse.table('id UInt32, at UInt32, role String');
  await command(`INSERT INTO ${table} VALUES (1, 10, 'clerk'), (1, 30, 'manager'), (1, 20, 'lead'), (2, 5, 'clerk')`);
  const query = `SELECT id, argMax(role, at) AS role FROM ${table} GROUP BY id ORDER BY id`;
  expect(await rows(clickhouse.client, query)).toEqual([
    { id: 1, role: 'manager' },
    { id: 2, role: 'clerk' },
  ]);
  const merged = `SELECT argMaxMerge(s) FROM (SELECT argMaxState(role, at) AS s FROM ${table} WHERE id = 1)`;
  expect(await value(clickhouse.client, merged)).toBe('manager');
});

it('a recursive CTE walks an organisation', async () => {
  const table = await clickhouse.table('id UInt32, parent UInt32');
  await command(`INSERT INTO ${table} VALUES (1, 0), (2, 1), (3, 2), (4, 2), (5, 0)`);
  const query = `WITH RECURSIVE under AS (
      SELECT id FROM ${table} WHERE id = 2 UNION ALL SELECT t.id FROM ${table} AS t JOIN under ON t.parent = under.id)
    SELECT groupArray(id) FROM (SELECT id FROM under ORDER BY id)`;
  expect(await value(clickhouse.client, query)).toBe('[2,3,4]');
});

describe('a dictionary', () => {
  const make = async (): Promise<{ table: string; dictionary: string }> => {
    const table = await clickhouse.table('id UInt64, parent UInt64, name String');
    await command(`INSERT INTO ${table} VALUES (1, 0, 'whole'), (2, 1, 'north'), (3, 2, 'team')`);
    const dictionary = clickhouse.name('units');
    await command(`CREATE DICTIONARY ${dictionary} (id UInt64, parent UInt64 DEFAULT 0 HIERARCHICAL, name String DEFAULT '?')
      PRIMARY KEY id SOURCE(CLICKHOUSE(DB '${clickhouse.database}' TABLE '${table}')) LAYOUT(HASHED()) LIFETIME(0)`);
    return { table, dictionary: `${clickhouse.database}.${dictionary}` };
  }; // prettier-ignore

  it('answers from a table, and knows its hierarchy', async () => {
    const { dictionary } = await make();
    const of = (expression: string): Promise<string> => value(clickhouse.client, `SELECT ${expression}`);
    expect(await of(`dictGet('${dictionary}', 'name', toUInt64(3))`)).toBe('team');
    expect(await of(`dictGet('${dictionary}', 'name', toUInt64(9))`)).toBe('?');
    expect(await of(`dictGetHierarchy('${dictionary}', toUInt64(3))`)).toBe('[3,2,1]');
    expect(await of(`dictIsIn('${dictionary}', toUInt64(3), toUInt64(1))`)).toBe('1');
    expect(await of(`arraySort(dictGetDescendants('${dictionary}', toUInt64(1), 0))`)).toBe('[2,3]');
  });

  it('is loaded again by SYSTEM RELOAD DICTIONARY', async () => {
    const { table, dictionary } = await make();
    const name = `SELECT dictGet('${dictionary}', 'name', toUInt64(4))`;
    expect(await value(clickhouse.client, name)).toBe('?');
    await command(`INSERT INTO ${table} VALUES (4, 3, 'new')`);
    await command(`SYSTEM RELOAD DICTIONARY ${dictionary}`);
    expect(await value(clickhouse.client, name)).toBe('new');
  });

  it('answers analysts too', async () => {
    const { dictionary } = await make();
    expect(await value(clickhouse.analyst, `SELECT dictGet('${dictionary}', 'name', toUInt64(2))`)).toBe('north');
  });
});

it('window functions number and compare rows', async () => {
  const table = await clickhouse.table('id UInt32, at UInt32, score Int32');
  await command(`INSERT INTO ${table} VALUES (1, 1, 40), (1, 2, 70), (2, 1, 10)`);
  const query = `SELECT id, at, toUInt8(row_number() OVER w) AS n, toInt16(score - lagInFrame(score, 1, score) OVER w) AS gain
    FROM ${table} WINDOW w AS (PARTITION BY id ORDER BY at) ORDER BY id, at`;
  expect(await rows(clickhouse.client, query)).toMatchObject([
    { id: 1, at: 1, n: 1, gain: 0 },
    { id: 1, at: 2, n: 2, gain: 30 },
    { id: 2, at: 1, n: 1, gain: 0 },
  ]);
});

it('JSON in a string is taken apart', async () => {
  const data = '{"score":72.5,"tags":["a","b"],"nested":{"id":"x"},"none":null}';
  const query = `WITH {data: String} AS d SELECT JSONExtractFloat(d, 'score') AS score,
    JSONExtract(d, 'tags', 'Array(String)') AS tags, JSONExtractString(d, 'nested', 'id') AS id, JSONHas(d, 'none') AS has`;
  const answer = await clickhouse.client.query({ query, query_params: { data }, format: 'JSONEachRow' });
  expect(await answer.json()).toEqual([{ score: 72.5, tags: ['a', 'b'], id: 'x', has: 1 }]);
});

it('the JSON type keeps paths as columns', async () => {
  const table = await clickhouse.table('id UInt32, data JSON');
  await clickhouse.client.insert({ table, values: [{ id: 1, data: { a: { b: 42 } } }], format: 'JSONEachRow' });
  expect(await value(clickhouse.client, `SELECT data.a.b::Int64 FROM ${table}`)).toBe('42');
});

it('tables are renamed, exchanged and replaced', async () => {
  const [one, other] = [await clickhouse.table('a Int32'), await clickhouse.table('a Int32')];
  await command(`INSERT INTO ${one} VALUES (1)`);
  await command(`EXCHANGE TABLES ${one} AND ${other}`);
  expect(await value(clickhouse.client, `SELECT a FROM ${other}`)).toBe('1');
  const name = clickhouse.name('renamed');
  await command(`RENAME TABLE ${other} TO ${name}`);
  expect(await value(clickhouse.client, `SELECT a FROM ${name}`)).toBe('1');
  await command(`CREATE OR REPLACE TABLE ${name} (b String) ENGINE = MergeTree ORDER BY b`);
  expect(await value(clickhouse.client, `SELECT count() FROM ${name}`)).toBe('0');
});

it('rows are deleted, by mutation and lightly', async () => {
  const table = await clickhouse.table('a Int32');
  await command(`INSERT INTO ${table} SELECT number FROM numbers(10)`);
  await clickhouse.client.command({ query: `ALTER TABLE ${table} DELETE WHERE a < 3`, clickhouse_settings: { mutations_sync: '2' } });
  expect(await value(clickhouse.client, `SELECT count() FROM ${table}`)).toBe('7');
  await command(`DELETE FROM ${table} WHERE a = 9`);
  expect(await value(clickhouse.client, `SELECT max(a) FROM ${table}`)).toBe('8');
}); // prettier-ignore

it('columns are added, with their default for old rows, and partitions dropped', async () => {
  const table = await clickhouse.table('month UInt32, a Int32', 'MergeTree PARTITION BY month ORDER BY a');
  await command(`INSERT INTO ${table} VALUES (1, 1), (2, 2)`);
  await command(`ALTER TABLE ${table} ADD COLUMN b String DEFAULT concat('b', toString(a))`);
  await command(`ALTER TABLE ${table} DROP PARTITION 1`);
  expect(await rows(clickhouse.client, `SELECT * FROM ${table}`)).toEqual([{ month: 2, a: 2, b: 'b2' }]);
});

it('Parquet comes out as Parquet and goes in again', async () => {
  const table = await clickhouse.table('a Int64, b Nullable(String), c Array(Float64), d DateTime64(3)');
  await command(`INSERT INTO ${table} SELECT number, if(number % 2, NULL, 'é'), [number / 2], 1700000000.5 + number FROM numbers(1000)`);
  const file = await (await clickhouse.http({ query: `SELECT * FROM ${table} FORMAT Parquet` })).arrayBuffer();
  expect(Buffer.from(file).subarray(0, 4).toString()).toBe('PAR1');
  expect(Buffer.from(file).subarray(-4).toString()).toBe('PAR1');
  const copy = await clickhouse.table('a Int64, b Nullable(String), c Array(Float64), d DateTime64(3)');
  const sent = await clickhouse.http({ query: `INSERT INTO ${copy} FORMAT Parquet` }, { method: 'POST', body: file });
  expect(sent.status).toBe(200);
  const difference = `SELECT count() FROM (SELECT * FROM ${table} EXCEPT SELECT * FROM ${copy})`;
  expect(await value(clickhouse.client, difference)).toBe('0');
}); // prettier-ignore

it.each(['Native', 'RowBinary', 'RowBinaryWithNamesAndTypes', 'Arrow', 'ArrowStream', 'ORC', 'Avro', 'MsgPack', 'JSON', 'JSONCompact',
  'JSONColumns', 'JSONCompactEachRowWithNamesAndTypes', 'BSONEachRow', 'CSVWithNamesAndTypes', 'TSVWithNames', 'TSKV', 'Values'])(
  'format %s goes out and in',
  async (format) => {
    const columns = 'a Int64, b String, c Float64';
    const [table, copy] = [await clickhouse.table(columns), await clickhouse.table(columns)];
    await command(`INSERT INTO ${table} SELECT number, concat('x\\ty,"', toString(number)), number / 4 FROM numbers(20000)`);
    const file = await (await clickhouse.http({ query: `SELECT * FROM ${table} FORMAT ${format}` })).arrayBuffer();
    await clickhouse.http({ query: `INSERT INTO ${copy} FORMAT ${format}` }, { method: 'POST', body: file });
    const sums = (name: string): Promise<string> => value(clickhouse.client, `SELECT count(), sum(cityHash64(a, b, c)) FROM ${name}`);
    expect(await sums(copy)).toBe(await sums(table));
  },
); // prettier-ignore

it.each(['XML', 'Pretty', 'PrettyCompact', 'Vertical', 'Markdown', 'SQLInsert', 'JSONStrings', 'JSONObjectEachRow', 'Null', 'RawBLOB'])(
  'format %s comes out once and whole',
  async (format) => {
    const query = `SELECT toString(number) AS n FROM numbers(5000) LIMIT ${format === 'RawBLOB' ? 1 : 5000} FORMAT ${format}`;
    const response = await clickhouse.http({ query });
    const text = await response.text();
    expect(response.status).toBe(200);
    if (format === 'XML') expect(text.match(/<result>/g)).toHaveLength(1);
    if (format === 'JSONStrings') expect((JSON.parse(text) as { rows: number }).rows).toBe(5000);
    if (format === 'Null') expect(text).toBe('');
  },
); // prettier-ignore

it('a background mutation comes to its end', async () => {
  const table = await clickhouse.table('a Int32, b Int32');
  await command(`INSERT INTO ${table} VALUES (1, 1)`);
  await command(`ALTER TABLE ${table} UPDATE b = 2 WHERE a = 1`);
  await until(async () => (await value(clickhouse.client, `SELECT b FROM ${table}`)) === '2');
});
