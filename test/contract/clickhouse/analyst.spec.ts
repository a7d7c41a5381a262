/** The user `analyst` may look at everything that is stored and do nothing else. */
import { errorOf, rows, server, value } from './harness';

const ch = server();
let table: string;

beforeAll(async () => {
  table = await ch.table('id UInt32, name String');
  await ch.client.command({ query: `INSERT INTO ${table} VALUES (1, 'a'), (2, 'b')` });
});

/** READONLY, ACCESS_DENIED, and what stands before rights: no such thing over HTTP, in this engine, or as SQL. */
const REFUSALS = ['164', '497', '358', '48', '62'];

test('an analyst selects, shows, describes and explains', async () => {
  expect(await rows(ch.analyst, `SELECT toUInt32(count()) AS n FROM ${table}`)).toEqual([{ n: 2 }]);
  expect(await rows(ch.analyst, `WITH 2 AS two SELECT name FROM ${table} WHERE id = two`)).toEqual([{ name: 'b' }]);
  expect(await rows(ch.analyst, `SHOW TABLES LIKE '${table}'`)).toEqual([{ name: table }]);
  expect(await rows(ch.analyst, `DESCRIBE TABLE ${table}`)).toHaveLength(2);
  expect((await rows(ch.analyst, `EXPLAIN SELECT * FROM ${table}`)).length).toBeGreaterThan(0);
  expect(await rows(ch.analyst, `EXISTS TABLE ${table}`)).toEqual([{ result: 1 }]);
});

test('an analyst passes parameters', async () => {
  const answer = await ch.analyst.query({
    query: `SELECT name FROM ${table} WHERE id = {id: UInt32}`,
    query_params: { id: 1 },
    format: 'JSONEachRow',
  });
  expect(await answer.json()).toEqual([{ name: 'a' }]);
});

test.each([
  ['INSERT', "INSERT INTO {t} VALUES (3, 'c')"],
  ['INSERT ... SELECT', 'INSERT INTO {t} SELECT * FROM {t}'],
  ['INSERT INTO FUNCTION', "INSERT INTO FUNCTION file('x.csv', 'CSV', 'id UInt32') SELECT 1"],
  ['CREATE', 'CREATE TABLE made (id UInt8) ENGINE = Memory'],
  ['CREATE ... AS', 'CREATE TABLE made ENGINE = Memory AS SELECT * FROM {t}'],
  ['CREATE TEMPORARY', 'CREATE TEMPORARY TABLE made (id UInt8)'],
  ['DROP', 'DROP TABLE {t}'],
  ['TRUNCATE', 'TRUNCATE TABLE {t}'],
  ['ALTER', 'ALTER TABLE {t} DELETE WHERE 1'],
  ['RENAME', 'RENAME TABLE {t} TO other'],
  ['OPTIMIZE', 'OPTIMIZE TABLE {t} FINAL'],
  ['SET', 'SET readonly = 0'],
  ['SETTINGS', 'SELECT 1 SETTINGS readonly = 0'],
  [
    'SETTINGS in a subquery that reads a file',
    "SELECT * FROM (SELECT * FROM file('/etc/hostname', 'LineAsString') SETTINGS readonly = 0)",
  ],
  [
    'SETTINGS in a subquery that asks a URL',
    "SELECT * FROM (SELECT * FROM url('http://127.0.0.1:9/', 'CSV', 'a String') SETTINGS readonly = 0)",
  ],
  [
    'SETTINGS in a subquery that asks a server',
    "SELECT * FROM (SELECT * FROM remote('127.0.0.1', system.one) SETTINGS readonly = 0)",
  ],
  ['file()', "SELECT * FROM file('/etc/hostname', 'LineAsString')"],
  ['url()', "SELECT * FROM url('http://127.0.0.1:9/', 'CSV', 'a String')"],
  ['remote()', "SELECT * FROM remote('127.0.0.1', system.one)"],
  ['executable()', "SELECT * FROM executable('x', 'CSV', 'a String')"],
  ['INTO OUTFILE', "SELECT 1 INTO OUTFILE '/tmp/never'"],
  ['SYSTEM', 'SYSTEM DROP MARK CACHE'],
  ['KILL', 'KILL QUERY WHERE 1'],
  ['GRANT', 'GRANT ALL ON *.* TO analyst'],
  ['CREATE USER', 'CREATE USER other'],
  ['SET ROLE', 'SET ROLE ALL'],
  ['ATTACH', 'ATTACH TABLE other (id UInt8) ENGINE = Memory'],
  ['BACKUP', "BACKUP TABLE {t} TO File('x')"],
])('an analyst is refused: %s', async (_what, statement) => {
  const query = statement.replaceAll('{t}', table);
  const [code] = await errorOf(ch.analyst.exec({ query }).then(({ stream }) => stream.resume()));
  expect(REFUSALS).toContain(code);
  expect(await value(ch.client, `SELECT count(), sum(id) FROM ${table}`)).toBe('2\t3');
});

test('settings of the URL do not lift the limits either', async () => {
  for (const setting of ['readonly', 'allow_ddl', 'allow_introspection_functions']) {
    const query = `DROP TABLE ${table}`;
    const answer = await ch.http(
      { user: 'analyst', [setting]: setting === 'readonly' ? '0' : '1' },
      { method: 'POST', body: query },
    );
    expect(answer.ok).toBe(false);
    await answer.text();
  }
  expect(await value(ch.client, `SELECT count() FROM ${table}`)).toBe('2');
});

test('a session does not lift them', async () => {
  const session_id = ch.name('session');
  for (const body of ['SET readonly = 0', `INSERT INTO ${table} VALUES (3, 'c')`]) {
    const answer = await ch.http({ user: 'analyst', session_id }, { method: 'POST', body });
    expect(answer.ok).toBe(false);
    await answer.text();
  }
  expect(await value(ch.client, `SELECT count() FROM ${table}`)).toBe('2');
});
