import { once } from 'node:events';
import { createClient, type DataFormat } from '@clickhouse/client';
import { errorOf, rows, server } from './harness';

const ch = server();

const text = async (query: string, format: DataFormat): Promise<string> =>
  (await ch.client.query({ query, format })).text();

test('ping, and a command without an answer', async () => {
  expect(await ch.client.ping()).toEqual({ success: true });
  expect(await ch.client.ping({ select: true })).toEqual({ success: true });
  const { query_id } = await ch.client.command({
    query: 'CREATE TABLE made (id UInt8) ENGINE = Memory',
    query_id: 'mine',
  });
  expect(query_id).toBe('mine');
  await ch.client.command({ query: 'DROP TABLE made' });
});

describe('formats', () => {
  const two = "SELECT toUInt32(number) AS n, concat('é', toString(number)) AS s FROM numbers(2)";

  test('JSON carries types, rows and the count', async () => {
    const { meta, data, rows } = await (await ch.client.query({ query: two, format: 'JSON' })).json();
    expect(meta).toEqual([
      { name: 'n', type: 'UInt32' },
      { name: 's', type: 'String' },
    ]);
    expect(data).toEqual([
      { n: 0, s: 'é0' },
      { n: 1, s: 'é1' },
    ]);
    expect(rows).toBe(2);
  });

  test.each<[DataFormat, string]>([
    ['JSONEachRow', '{"n":0,"s":"é0"}\n{"n":1,"s":"é1"}\n'],
    ['JSONCompactEachRow', '[0, "é0"]\n[1, "é1"]\n'],
    ['CSV', '0,"é0"\n1,"é1"\n'],
    ['CSVWithNames', '"n","s"\n0,"é0"\n1,"é1"\n'],
    ['TabSeparated', '0\té0\n1\té1\n'],
    ['TabSeparatedWithNamesAndTypes', 'n\ts\nUInt32\tString\n0\té0\n1\té1\n'],
  ])('%s', async (format, expected) => {
    expect((await text(two, format)).replaceAll(', ', ',')).toBe(expected.replaceAll(', ', ','));
  });

  test('JSONCompact has rows as arrays', async () => {
    const { data } = (await (await ch.client.query({ query: two, format: 'JSONCompact' })).json()) as {
      data: unknown[];
    };
    expect(data).toEqual([
      [0, 'é0'],
      [1, 'é1'],
    ]);
  });

  test.each([
    ['Parquet', 0, 'PAR1'],
    ['ArrowStream', 0, '\xff\xff\xff\xff'],
    ['Arrow', 0, 'ARROW1'],
    ['Native', 0, '\x02\x02\x01n\x06UInt32'],
    ['RowBinary', 0, '\0\0\0\0\x03'],
    ['ORC', 0, 'ORC'],
  ])('%s as bytes', async (format, at, magic) => {
    const { stream } = await ch.client.exec({ query: `${two} FORMAT ${format}` });
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    expect(
      Buffer.concat(chunks)
        .subarray(at, at + magic.length)
        .toString('latin1'),
    ).toBe(magic);
  });

  test('what has no rows', async () => {
    expect(await text('SELECT 1 WHERE 0', 'JSONEachRow')).toBe('');
    expect((await (await ch.client.query({ query: 'SELECT 1 WHERE 0', format: 'JSON' })).json()).data).toEqual([]);
  });
});

describe('statements of every shape', () => {
  test.each([
    ['parenthesised', '(SELECT 1) UNION ALL (SELECT 1)', '1\n1\n'],
    ['lower case with a closing semicolon', 'select 1 ;  ', '1\n'],
    ['WITH', 'WITH 2 AS two SELECT two', '2\n'],
    ['a semicolon in a string', "SELECT ';', 'it''s; \\'; '", ";\tit\\'s; \\'; \n"],
    ['comments', '-- one;\nSELECT /* ; two */ 1 -- three;\n', '1\n'],
    ['FORMAT inside of strings and subqueries', "SELECT count() FROM (SELECT 'x FORMAT CSV' AS format)", '1\n'],
    ['a column named format', 'SELECT format FROM (SELECT 3 AS format)', '3\n'],
    ['a column named values', 'SELECT values FROM (SELECT 4 AS values)', '4\n'],
    ['FORMAT in the statement', "SELECT 'a' FORMAT CSV", '"a"\n'],
    ['FORMAT and SETTINGS', "SELECT 'a' FORMAT CSV SETTINGS max_threads = 1", '"a"\n'],
    ['SETTINGS and FORMAT', "SELECT 'a' SETTINGS max_threads = 1 FORMAT CSV", '"a"\n'],
    ['a heredoc', 'SELECT $x$a;b$x$', 'a;b\n'],
    ['EXISTS', 'EXISTS TABLE nothing', '0\n'],
    ['DESCRIBE', 'DESCRIBE (SELECT 1 AS one)', /^one\tUInt8/],
    ['SHOW', "SHOW DATABASES LIKE 'system'", 'system\n'],
    ['EXPLAIN', 'EXPLAIN SYNTAX SELECT 1', /SELECT 1/],
  ])('%s', async (_what, query, expected) => {
    const answer = await (await ch.http({}, { method: 'POST', body: query })).text();
    if (expected instanceof RegExp) expect(answer).toMatch(expected);
    else expect(answer).toBe(expected);
  });

  test('several statements are refused', async () => {
    const refused = await ch.http({}, { method: 'POST', body: 'SELECT 1; SELECT 2' });
    expect(refused.headers.get('x-clickhouse-exception-code')).toBe('62');
  });
});

describe('settings', () => {
  const value = (settings = {}): Promise<unknown> =>
    ch.client
      .query({
        query: "SELECT getSetting('max_block_size') AS v",
        format: 'JSONEachRow',
        clickhouse_settings: settings,
      })
      .then((answer) => answer.json());

  test('apply to one query and to no other', async () => {
    const before = await value();
    expect(await value({ max_block_size: '777' })).toEqual([{ v: 777 }]);
    await Promise.all(Array.from({ length: 20 }, (_, n) => value({ max_block_size: String(1000 + n) })));
    expect(await value()).toEqual(before);
  });

  test('the database is that of the request', async () => {
    const system = createClient({ url: ch.url, database: 'system' });
    const answer = await system.query({ query: 'SELECT currentDatabase() AS d FROM one', format: 'JSONEachRow' });
    expect(await answer.json()).toEqual([{ d: 'system' }]);
    await system.close();
    expect(await rows(ch.client, 'SELECT currentDatabase() AS d')).toEqual([{ d: ch.database }]);
  });
});

describe('long answers', () => {
  test('many rows arrive whole', async () => {
    const count = process.env.ATTEST_TEST_FULL_SIZE ? 3_000_000 : 500_000;
    const answer = await ch.client.query({ query: `SELECT number AS n FROM numbers(${count})`, format: 'CSV' });
    let rows = 0;
    let sum = 0;
    for await (const chunk of answer.stream()) {
      for (const row of chunk) sum += Number(row.text);
      rows += chunk.length;
    }
    expect([rows, sum]).toEqual([count, (count * (count - 1)) / 2]);
  });

  test('an error in the middle reaches the client', async () => {
    // Ten megabytes of it are good: far more than any server keeps back.
    const query = "SELECT throwIf(number = 500000, 'gone wrong') AS x, toString(number) AS y FROM numbers(1000000)";
    const read = async (): Promise<void> => {
      const answer = await ch.client.query({ query, format: 'JSONEachRow', clickhouse_settings: { max_threads: 1 } });
      for await (const _ of answer.stream()) continue;
    };
    await expect(read()).rejects.toThrow();
  });

  test('a query that the client gives up is rejected there and hurts nobody', async () => {
    const controller = new AbortController();
    const work = ch.client.query({
      query: 'SELECT sum(cityHash64(number)) FROM numbers(1000000000) FORMAT TSV',
      abort_signal: controller.signal,
    });
    setImmediate(() => controller.abort());
    await expect(work).rejects.toThrow(/abort/i);
    expect(await rows(ch.client, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('a stream that the client stops reading is let go', async () => {
    const { stream } = await ch.client.exec({ query: 'SELECT number FROM numbers(1000000000) FORMAT TSV' });
    await once(stream, 'readable');
    stream.destroy();
    expect(await rows(ch.client, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('sixty queries at once are all answered', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, n) =>
        rows<{ s: string }>(ch.client, `SELECT sum(number) + ${n} AS s FROM numbers(100000)`),
      ),
    );
    expect(answers.map(([row]) => Number(row!.s))).toEqual(Array.from({ length: 60 }, (_, n) => 4_999_950_000 + n));
  });
});

test('an exception within a query names code and type', async () => {
  expect(await errorOf(rows(ch.client, 'SELECT throwIf(1)'))).toEqual(['395', 'FUNCTION_THROW_IF_VALUE_IS_NON_ZERO']);
});
