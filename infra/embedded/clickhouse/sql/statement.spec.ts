import { ClickHouseException } from '../errors';
import { parseStatement } from './statement';

const parts = (text: string): [sql: string, format: string | undefined, settings: string] => {
  const { sql, format, settings } = parseStatement(text);
  return [sql, format, settings];
};

it.each([
  ['SELECT 1', 'SELECT 1', undefined, ''],
  ['SELECT 1;', 'SELECT 1', undefined, ''],
  ['SELECT 1 FORMAT JSON', 'SELECT 1', 'JSON', ''],
  ['SELECT 1 format jsonEachRow ;', 'SELECT 1', 'jsonEachRow', ''],
  ['SELECT 1 FORMAT JSON SETTINGS a = 1', 'SELECT 1', 'JSON', 'SETTINGS a = 1'],
  ['SELECT 1 SETTINGS a = 1 FORMAT JSON', 'SELECT 1 SETTINGS a = 1', 'JSON', ''],
  ['(SELECT 1) SETTINGS a = 1 FORMAT JSON', '(SELECT 1)', 'JSON', 'SETTINGS a = 1 '],
  ['(SELECT 1) UNION ALL (SELECT 2) SETTINGS a = 1', '(SELECT 1) UNION ALL (SELECT 2)', undefined, 'SETTINGS a = 1'],
  ['SELECT * FROM (SELECT 1) SETTINGS a = 1', 'SELECT * FROM (SELECT 1) SETTINGS a = 1', undefined, ''],
  ['SELECT 1 AS format', 'SELECT 1 AS format', undefined, ''],
  ['SELECT a FROM t ORDER BY format DESC', 'SELECT a FROM t ORDER BY format DESC', undefined, ''],
  ["SELECT 'FORMAT JSON'", "SELECT 'FORMAT JSON'", undefined, ''],
  ['SELECT 1 -- FORMAT JSON', 'SELECT 1 -- FORMAT JSON', undefined, ''],
  ['SELECT 1 /* /* ; */ ; */ FORMAT CSV', 'SELECT 1 /* /* ; */ ; */', 'CSV', ''],
  ['SELECT $a$;$a$, $$;$$ FORMAT CSV', 'SELECT $a$;$a$, $$;$$', 'CSV', ''],
  ['SELECT \u2018;\u2019 FORMAT CSV', 'SELECT \u2018;\u2019', 'CSV', ''],
])('takes %s apart', (text, sql, format, settings) => {
  expect(parts(text)).toEqual([sql, format, settings]);
});

it.each([
  ['INSERT INTO t VALUES (1)', 'INSERT INTO t', 'Values', '', ' (1)'],
  ['INSERT INTO t FORMAT Values (1)', 'INSERT INTO t', 'Values', '', ' (1)'],
  ['INSERT INTO t FORMAT CSV\n1;2', 'INSERT INTO t', 'CSV', '', '\n1;2'],
  ['insert into db.`values` (format, "a;b") settings x = 1 format JSONEachRow {}', 'insert into db.`values` (format, "a;b")', 'JSONEachRow', 'settings x = 1', ' {}'],
  ["INSERT INTO FUNCTION file('a', 'CSV') FORMAT TSV\n", "INSERT INTO FUNCTION file('a', 'CSV')", 'TSV', '', '\n'],
])('finds the data of %s', (text, sql, format, settings, data) => {
  const statement = parseStatement(text);
  expect([statement.sql, statement.format, statement.settings, text.slice(statement.dataAt)]).toEqual([sql, format, settings, data]);
}); // prettier-ignore

it('knows an INSERT that brings its data by a query', () => {
  const statement = parseStatement('INSERT INTO t SELECT insert FROM values');
  expect(statement).toMatchObject({ verb: 'INSERT', reads: false, streams: false, format: undefined });
  expect(statement.dataAt).toBeUndefined();
});

it('finds input() and the data for it', () => {
  const text = "INSERT INTO t SELECT lower(a) FROM input('a String') FORMAT CSV\nx";
  const { sql, input, format, dataAt } = parseStatement(text);
  expect(sql.slice(input!.start, input!.end)).toBe("input('a String')");
  expect([input!.structure, format, text.slice(dataAt)]).toEqual(["'a String'", 'CSV', '\nx']);
});

it('streams a SELECT that calls a function named insert', () => {
  expect(parseStatement("SELECT insert('abc', 1, 1, 'x')")).toMatchObject({ reads: true, streams: true });
  expect(parseStatement('WITH 1 AS x INSERT INTO t SELECT x')).toMatchObject({ reads: false, streams: false });
});

it.each([
  ['', 62],
  [' ; ', 62],
  ['SELECT 1; SELECT 2', 62],
  ["SELECT 'a'; DROP TABLE t", 62],
  ["SELECT \u2018'\u2019; DROP TABLE t; SELECT \u2018'\u2019", 62],
  ["SELECT 1 INTO /* x */ OUTFILE 'a'", 358],
  ["INSERT INTO t FROM INFILE 'a' FORMAT CSV", 48],
])('refuses %s', (text, code) => {
  expect(() => parseStatement(text)).toThrow(ClickHouseException);
  expect(() => parseStatement(text)).toThrow(expect.objectContaining({ code }) as Error);
});
