/** ClickHouse's HTTP interface without a client library. */
import { randomUUID } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync } from 'node:zlib';
import { BlockReader, BlockWriter } from '../../../infra/embedded/clickhouse/native/blocks';
import { server, value } from './harness';

const ch = server();

const post = (body: string | Buffer, parameters: Record<string, string> = {}): Promise<Response> =>
  ch.http(parameters, { method: 'POST', body: typeof body === 'string' ? body : new Uint8Array(body) });

const through = (stream: Duplex, bytes: Buffer): Promise<Buffer> => {
  stream.end(bytes);
  return buffer(stream);
};

test('GET with the query in the URL', async () => {
  const answer = await ch.http({ query: "SELECT 1 AS n, 'ä' AS s FORMAT JSONEachRow" });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toBe('{"n":1,"s":"ä"}\n');
});

test('POST with the query in the body, or in both places', async () => {
  expect(await (await post('SELECT 42')).text()).toBe('42\n');
  expect(await (await post('FROM numbers(3)', { query: 'SELECT count()' })).text()).toBe('3\n');
});

test('the format comes from the statement, the URL or a header, in this order', async () => {
  expect(await (await post('SELECT 1 AS n', { default_format: 'JSONEachRow' })).text()).toBe('{"n":1}\n');
  expect(await (await post('SELECT 1 AS n FORMAT CSV', { default_format: 'JSON' })).text()).toBe('1\n');
  const headers = { 'X-ClickHouse-Format': 'JSONEachRow' };
  expect(await (await ch.http({}, { method: 'POST', body: 'SELECT 1 AS n', headers })).text()).toBe('{"n":1}\n');
});

test('an insert: statement in the URL or before its data', async () => {
  const table = await ch.table('id UInt32, name String');
  const statuses = [
    await post('1,"a;b"\n2,"FORMAT"\n', { query: `INSERT INTO ${table} FORMAT CSV` }),
    await post(`INSERT INTO ${table} FORMAT CSV\n3,c\n`),
    await post("(4, 'd')", { query: `INSERT INTO ${table} VALUES` }),
    await post('{"id":5}\n', { query: `INSERT INTO ${table} (id) FORMAT JSONEachRow` }),
  ].map(({ status }) => status);
  expect(statuses).toEqual([200, 200, 200, 200]);
  expect(await value(ch.client, `SELECT groupArray((id, name)) FROM (SELECT * FROM ${table} ORDER BY id)`)).toBe(
    "[(1,'a;b'),(2,'FORMAT'),(3,'c'),(4,'d'),(5,'')]",
  );
});

test.each([
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
])('a body in %s', async (encoding, compress) => {
  const body = compress(Buffer.from('SELECT 7'));
  const answer = await ch.http({}, { method: 'POST', body, headers: { 'Content-Encoding': encoding } });
  expect(await answer.text()).toBe('7\n');
});

test('an answer is compressed only when the query asks for it', async () => {
  const headers = { 'Accept-Encoding': 'gzip' };
  const ask = (parameters: Record<string, string>): Promise<Response> =>
    ch.http({ query: 'SELECT number FROM numbers(1000)', ...parameters }, { headers });
  const plain = await ask({});
  expect(plain.headers.get('content-encoding')).toBeNull();
  const compressed = await ask({ enable_http_compression: '1' });
  expect(compressed.headers.get('content-encoding')).toBe('gzip');
  expect(await compressed.text()).toBe(await plain.text());
});

test("ClickHouse's own compressed blocks go out and come in, as drivers of JDBC ask for them", async () => {
  const ask = async (parameters: Record<string, string>): Promise<Buffer> =>
    Buffer.from(await (await ch.http({ query: 'SELECT number FROM numbers(100000)', ...parameters })).arrayBuffer());
  const [plain, blocks] = [await ask({}), await ask({ compress: '1' })];
  expect(blocks.equals(plain)).toBe(false);
  expect((await through(new BlockReader(), blocks)).equals(plain)).toBe(true);

  const table = await ch.table('id UInt32');
  const rows = await through(new BlockWriter(), plain);
  const sent = { query: `INSERT INTO ${table} FORMAT TSV`, decompress: '1' };
  expect((await post(rows, sent)).status).toBe(200);
  rows[100]! ^= 1;
  const damaged = await post(rows, sent);
  expect(damaged.headers.get('x-clickhouse-exception-code')).toBe('40');
  await damaged.text();
  expect((await post('no block at all', sent)).status).toBe(500);
  expect(await value(ch.client, `SELECT (count(), max(id)) FROM ${table}`)).toBe('(100000,99999)');
});

test('GET reads and does nothing else', async () => {
  const table = await ch.table('id UInt32');
  for (const query of [
    `INSERT INTO ${table} VALUES (1)`,
    `DROP TABLE ${table}`,
    'CREATE TABLE x (id UInt8) ENGINE = Memory',
  ]) {
    const answer = await ch.http({ query });
    expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([500, '164']);
    await answer.text();
  }
  expect(await value(ch.client, `SELECT count() FROM ${table}`)).toBe('0');
});

test('headers say which query it was, in which format and zone, and what it did', async () => {
  const query_id = randomUUID();
  const table = await ch.table('id UInt32');
  const { headers } = await post('1\n2\n', { query: `INSERT INTO ${table} FORMAT CSV`, query_id });
  expect(headers.get('x-clickhouse-query-id')).toBe(query_id);
  expect(JSON.parse(headers.get('x-clickhouse-summary')!)).toMatchObject({ written_rows: '2' });
  const read = await post(`SELECT * FROM ${table} FORMAT JSONEachRow`);
  expect(read.headers.get('x-clickhouse-query-id')).toMatch(/^[0-9a-f-]{36}$/);
  expect(read.headers.get('x-clickhouse-format')).toBe('JSONEachRow');
  expect(read.headers.get('x-clickhouse-timezone')).toMatch(/UTC|\//);
  await read.text();
});

test.each([
  ['SELECT * FROM nothing_here', 404, '60'],
  ['SELEC 1', 400, '62'],
  ['SELECT 1; SELECT 2', 400, '62'],
  ['SELECT * FROM no_database.t', 404, '81'],
  ['SELECT 1 SETTINGS no_such_setting = 1', 404, '115'],
  ['SELECT throwIf(1)', 500, '395'],
])('%s is answered with status %i and code %s', async (query, status, code) => {
  const answer = await post(query);
  expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([status, code]);
  expect(await answer.text()).toMatch(new RegExp(`^Code: ${code}\\. DB::Exception: [^]*\\([A-Z_]+\\) \\(version `));
});

test('max_execution_time ends a query with 159', async () => {
  const answer = await post('SELECT sum(cityHash64(number)) FROM numbers(100000000000)', { max_execution_time: '0.2' });
  expect([answer.status, answer.headers.get('x-clickhouse-exception-code')]).toEqual([408, '159']);
  await answer.text();
});

test('a wrong password or an unknown user is refused with 516', async () => {
  const given: Record<string, string>[] = [
    { 'X-ClickHouse-User': 'nobody' },
    { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': 'wrong' },
    { Authorization: `Basic ${Buffer.from('nobody:secret').toString('base64')}` },
  ];
  for (const headers of given) {
    const answer = await ch.http({ query: 'SELECT 1' }, { headers });
    expect(answer.headers.get('x-clickhouse-exception-code')).toBe('516');
    expect(answer.ok).toBe(false);
    await answer.text();
  }
});

test('paths without a query', async () => {
  const get = async (path: string): Promise<[number, string]> => {
    const answer = await fetch(`${ch.url}${path}`);
    return [answer.status, await answer.text()];
  };
  expect(await get('/ping')).toEqual([200, 'Ok.\n']);
  expect(await get('/')).toEqual([200, 'Ok.\n']);
  expect((await get('/nothing/here'))[0]).toBe(404);
});
