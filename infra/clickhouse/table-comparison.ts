import type { ClickHouseClient } from '@clickhouse/client';

/** Where a table says something else than the one it is held against. */
export interface RowDifference {
  readonly table: string;
  /** Position of the event that the row comes from; the values of its sorting key where it is a count over a span of the log. */
  readonly id: string;
  readonly kind: 'missing' | 'unexpected' | 'duplicate' | 'different';
  /** Names of the columns that differ. */
  readonly fields?: readonly string[];
}

/**
 * What is compared: rows up to a position, and of those the ones with these values. Of the landing table, where it lacks the columns, the
 * events that are expected; other tables without the columns are left out.
 */
export interface Compared {
  readonly upTo: bigint;
  readonly only: Readonly<Record<string, string>>;
  /** Name of the database that is checked. */
  readonly found: string;
}

interface Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly final: boolean;
  readonly sortingKey: readonly string[];
  /**
   * Its rows are counts over a `span` of positions, made anew while the span grows: `counted` says up to which position, and depends on when.
   */
  readonly counts: boolean;
}

type Row = Readonly<Record<string, unknown>>;

/** Checksums are over ranges of positions of this width; only ranges that differ are read row by row. */
const RANGE = 1 << 20;

/**
 * Holds every table of a database that has a column `position`, or counts by `span`, against the same table of another, in checksums first, so that what agrees is
 * read by ClickHouse alone. Copies of a row that ClickHouse itself merges away do not count.
 * @param clickhouse a client of the database with what is expected
 * @returns how many rows were expected
 */
export async function compareTables(
  clickhouse: ClickHouseClient,
  compared: Compared,
  report: (difference: RowDifference) => void,
): Promise<number> {
  let rows = 0;
  for (const table of await tablesOf(clickhouse)) {
    if (!hasAll(table, compared) && table.name !== LANDING) continue;
    const expectedRanges = await rangesOf(clickhouse, table, undefined, compared);
    const foundRanges = await rangesOf(clickhouse, table, compared.found, compared);
    for (const { rows: count } of expectedRanges.values()) rows += count;
    for (const range of new Set([...expectedRanges.keys(), ...foundRanges.keys()])) {
      if (expectedRanges.get(range)?.sum === foundRanges.get(range)?.sum) continue;
      const [expected, other] = await Promise.all([
        rowsOf(clickhouse, table, undefined, compared, range),
        rowsOf(clickhouse, table, compared.found, compared, range),
      ]);
      for (const id of new Set([...expected.keys(), ...other.keys()])) {
        for (const difference of compareRows(expected.get(id) ?? [], other.get(id) ?? [])) {
          report({ table: table.name, id, ...difference });
        }
      }
    }
  }
  return rows;
}

const LANDING = 'events';

async function tablesOf(clickhouse: ClickHouseClient): Promise<Table[]> {
  const answer = await clickhouse.query({ query: TABLES, format: 'JSONEachRow' });
  const tables = await answer.json<{ name: string; engine: string; columns: string[]; sortingKey: string[] }>();
  return tables.map(({ name, engine, columns, sortingKey }) => {
    const counts = !columns.includes('position');
    const compared = counts ? columns.filter((column) => column !== 'counted') : columns;
    return { name, columns: compared, sortingKey, final: engine !== 'MergeTree', counts };
  });
}

const TABLES = `
  SELECT tables.name AS name, any(tables.engine) AS engine, groupArray(columns.name) AS columns,
    groupArrayIf(columns.name, columns.is_in_sorting_key) AS sortingKey
  FROM (SELECT * FROM system.columns WHERE database = currentDatabase() ORDER BY table, position) AS columns
  INNER JOIN (SELECT name, engine FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree') AS tables
    ON tables.name = columns.table
  GROUP BY tables.name
  HAVING (has(columns, 'position') OR hasAll(columns, ['span', 'counted'])) AND name != 'watermarks'
  ORDER BY name`;

async function rangesOf(
  clickhouse: ClickHouseClient,
  table: Table,
  database: string | undefined,
  compared: Compared,
): Promise<Map<string, { rows: number; sum: string }>> {
  const { from, parameters } = selection(table, database, compared);
  const content = `toString(tuple(${table.columns.map((column) => `rows.${quoted(column)}`).join(', ')}))`;
  const query = `
    SELECT toString(${rangeOf(table)}) AS range, toUInt32(count()) AS rows, toString(sum(sipHash64(${content}))) AS sum
    ${from}
    GROUP BY ${rangeOf(table)}`;
  const answer = await clickhouse.query({ query, query_params: parameters, format: 'JSONEachRow' });
  const ranges = await answer.json<{ range: string; rows: number; sum: string }>();
  return new Map(ranges.map(({ range, rows, sum }) => [range, { rows, sum: `${rows} ${sum}` }]));
}

async function rowsOf(
  clickhouse: ClickHouseClient,
  table: Table,
  database: string | undefined,
  compared: Compared,
  range: string,
): Promise<Map<string, Row[]>> {
  const { from, parameters } = selection(table, database, compared);
  const query = `SELECT ${table.columns.map(quoted).join(', ')} ${from} AND ${rangeOf(table)} = {range:UInt64}
    ORDER BY ${table.counts ? table.sortingKey.map(quoted).join(', ') : 'rows.position'}`;
  const query_params = { ...parameters, range };
  const clickhouse_settings = { output_format_json_quote_64bit_integers: 1 } as const;
  const answer = await clickhouse.query({ query, query_params, clickhouse_settings, format: 'JSONEachRow' });
  const byId = new Map<string, Row[]>();
  for (const row of await answer.json<Row>()) {
    const id = table.counts ? table.sortingKey.map((column) => String(row[column])).join(' ') : String(row.position);
    byId.set(id, [...(byId.get(id) ?? []), row]);
  }
  return byId;
}

function hasAll({ columns }: Table, { only }: Compared): boolean {
  return Object.keys(only).every((column) => columns.includes(column));
}

function selection(table: Table, database: string | undefined, compared: Compared) {
  const { name, columns, final } = table;
  const { upTo, only, found } = compared;
  const own = Object.entries(only).filter(([column]) => columns.includes(column));
  const conditions = own.map(([column]) => `toString(rows.${quoted(column)}) = {only_${column}:String}`);
  if (database && !hasAll(table, compared)) conditions.push(`rows.position IN (SELECT position FROM ${LANDING})`);
  if (table.counts)
    conditions.push(
      `(tenant, span) NOT IN (SELECT tenant, span FROM ${quoted(found)}.${quoted(name)} WHERE counted > {upTo:UInt64})`,
    );
  else conditions.push('rows.position <= {upTo:UInt64}');
  const source = `${database ? `${quoted(database)}.` : ''}${quoted(name)} AS rows ${final ? 'FINAL' : ''}`;
  return {
    from: `FROM ${source} WHERE ${conditions.join(' AND ')}`,
    parameters: {
      upTo: upTo.toString(),
      ...Object.fromEntries(own.map(([column, value]) => [`only_${column}`, value])),
    },
  };
}

/** The rows that come from one event, which are few. */
function compareRows(expected: readonly Row[], found: readonly Row[]): Omit<RowDifference, 'table' | 'id'>[] {
  const texts = new Set(expected.map((row) => JSON.stringify(row)));
  const left = expected.map((row) => JSON.stringify(row));
  const strangers: Row[] = [];
  const differences: Omit<RowDifference, 'table' | 'id'>[] = [];
  for (const row of found) {
    const text = JSON.stringify(row);
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    else if (texts.has(text)) differences.push({ kind: 'duplicate' });
    else strangers.push(row);
  }
  for (const text of left) {
    const row = JSON.parse(text) as Row;
    const other = strangers.shift();
    if (!other) differences.push({ kind: 'missing' });
    else differences.push({ kind: 'different', fields: differingColumns(row, other) });
  }
  return [...differences, ...strangers.map(() => ({ kind: 'unexpected' }) as const)];
}

function differingColumns(a: Row, b: Row): string[] {
  return Object.keys(a).filter((column) => JSON.stringify(a[column]) !== JSON.stringify(b[column]));
}

function rangeOf({ counts }: Table): string {
  return counts ? 'rows.span' : `intDiv(rows.position, ${RANGE})`;
}

function quoted(name: string): string {
  return `\`${name}\``;
}
