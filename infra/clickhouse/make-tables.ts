import type { ClickHouseClient } from '@clickhouse/client';

/** What does nothing where the table, the view or the column stands already. */
const TABLE = /^CREATE TABLE IF NOT EXISTS (\w+)\s*\(/m;
const VIEW = /^CREATE VIEW IF NOT EXISTS (\w+)/m;
const COLUMN = /^ALTER TABLE (\w+) ADD COLUMN IF NOT EXISTS (\w+)/m;

/**
 * Makes what the statements make and the database lacks. One read tells that nothing is missing: a statement takes about as long to do
 * nothing as to make its table. Tables come first and side by side, since their columns depend on nothing else; then the rest in its order.
 * @param isEmpty the database is known to hold nothing
 */
export async function makeTables(
  clickhouse: ClickHouseClient,
  statements: readonly string[],
  isEmpty = false,
): Promise<void> {
  const columns = isEmpty ? new Map<string, ReadonlySet<string>>() : await columnsOf(clickhouse);
  const missing = statements.filter((statement) => !isThere(statement, columns));
  const tables = missing.filter((statement) => TABLE.test(statement));
  if (tables.length > 0) await clickhouse.command({ query: tables.join('\nPARALLEL WITH\n') });
  for (const query of missing.filter((each) => !tables.includes(each))) await clickhouse.command({ query });
}

/** The columns of each table and view. */
async function columnsOf(clickhouse: ClickHouseClient): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const answer = await clickhouse.query({ query: COLUMNS, format: 'JSONEachRow' });
  const rows = await answer.json<{ table: string; columns: string[] }>();
  return new Map(rows.map(({ table, columns }) => [table, new Set(columns)]));
}

const COLUMNS = `
  SELECT table, groupArray(name) AS columns
  FROM system.columns
  WHERE database = currentDatabase()
  GROUP BY table`;

function isThere(statement: string, columns: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  const [, table = '', column] = COLUMN.exec(statement) ?? TABLE.exec(statement) ?? VIEW.exec(statement) ?? [];
  const found = columns.get(table);
  return found !== undefined && (column === undefined || found.has(column));
}
