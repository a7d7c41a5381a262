import type { ClickHouseClient } from '@clickhouse/client';

/** Where a table says something else than the one it is held against. */
export interface RowDifference {
  readonly table: string;
  /** Position of the event that the row comes from; the values of its sorting key where it is a count over a span of the log. */
  readonly id: string;
  readonly tenant: string;
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
}

/** Two tables of the same columns, as a query names them. */
interface Pair {
  readonly expected: string;
  readonly found: string;
}

export interface ComparableTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly final: boolean;
  readonly sortingKey: readonly string[];
  /**
   * Its rows are counts over a `span` of positions, made anew while the span grows: `counted` says up to which position, and depends on when.
   */
  readonly counts: boolean;
  /** Whether it has few rows, in either database. */
  readonly few: boolean;
}

type Row = Readonly<Record<string, unknown>>;

/** Checksums are over ranges of positions of this width; only ranges that differ are read row by row. */
const RANGE = 1 << 20;
/** Tables of so few rows are asked about in one query: to understand a query takes ClickHouse longer than to read so little. */
const FEW = 100_000;

/**
 * Holds every table of a database that has a column `position`, or counts by `span`, against the same table of another, in checksums first, so that what agrees is
 * read by ClickHouse alone. Copies of a row that ClickHouse itself merges away do not count.
 * @param clickhouse a client of the database with what is expected
 * @param database the one that is checked
 * @returns how many rows were expected
 */
export async function compareTables(
  clickhouse: ClickHouseClient,
  database: string,
  compared: Compared,
  report: (difference: RowDifference) => void,
): Promise<number> {
  const small: Comparison[] = [];
  const others: Comparison[] = [];
  for (const table of await comparableTables(clickhouse, { database })) {
    if (!hasAll(table, compared) && table.name !== LANDING) continue;
    const pair = { expected: quoted(table.name), found: `${quoted(database)}.${quoted(table.name)}` };
    (table.few ? small : others).push({ table, ...selections(table, pair, compared) });
  }
  let rows = 0;
  for (const group of [small, ...others.map((each) => [each])]) {
    if (group.length > 0) rows += await compareGroup(clickhouse, group, report);
  }
  return rows;
}

/** Holds one table against another of the same columns. @returns how many rows were expected */
export function compareTable(
  clickhouse: ClickHouseClient,
  table: ComparableTable,
  pair: Pair,
  compared: Compared,
  report: (difference: RowDifference) => void,
): Promise<number> {
  return compareGroup(clickhouse, [{ table, ...selections(table, pair, compared) }], report);
}

async function compareGroup(
  clickhouse: ClickHouseClient,
  group: readonly Comparison[],
  report: (difference: RowDifference) => void,
): Promise<number> {
  let rows = 0;
  const expectedRanges = await rangesOf(clickhouse, group, 'expected');
  const foundRanges = await rangesOf(clickhouse, group, 'found');
  for (const [at, { table, expected, found }] of group.entries()) {
    const [own, other] = [expectedRanges[at]!, foundRanges[at]!];
    for (const { rows: count } of own.values()) rows += count;
    for (const range of new Set([...own.keys(), ...other.keys()])) {
      if (own.get(range)?.sum === other.get(range)?.sum) continue;
      await compareRange(clickhouse, { table, expected, found }, range, report);
    }
  }
  return rows;
}

async function compareRange(
  clickhouse: ClickHouseClient,
  { table, expected, found }: Comparison,
  range: string,
  report: (difference: RowDifference) => void,
): Promise<void> {
  const [own, other] = await Promise.all([
    rowsOf(clickhouse, table, expected, range),
    rowsOf(clickhouse, table, found, range),
  ]);
  for (const id of new Set([...own.keys(), ...other.keys()])) {
    for (const difference of compareRows(own.get(id) ?? [], other.get(id) ?? [])) {
      report({ table: table.name, id, ...difference });
    }
  }
}

const LANDING = 'events';

/** The tables of the client's database that can be compared, or one of them. @param with another database that has them */
export async function comparableTables(
  clickhouse: ClickHouseClient,
  { database = '', only }: { database?: string; only?: string } = {},
): Promise<ComparableTable[]> {
  const query = only === undefined ? TABLES : TABLES.replace('-- only', 'AND table = {only:String}');
  const query_params = { database, few: FEW, ...(only !== undefined && { only }) };
  const answer = await clickhouse.query({ query, query_params, format: 'JSONEachRow' });
  const tables = await answer.json<{
    name: string;
    engine: string;
    columns: string[];
    sortingKey: string[];
    few: boolean;
  }>();
  return tables.map(({ name, engine, columns, sortingKey, few }) => {
    const counts = !columns.includes('position');
    const compared = counts ? columns.filter((column) => column !== 'counted') : columns;
    return { name, columns: compared, sortingKey, final: engine !== 'MergeTree', counts, few };
  });
}

const TABLES = `
  SELECT tables.name AS name, any(tables.kind) AS engine, groupArray(columns.name) AS columns,
    groupArrayIf(columns.name, columns.is_in_sorting_key) AS sortingKey, any(tables.most) <= {few:UInt64} AS few
  FROM (
    SELECT * FROM system.columns
    WHERE database = currentDatabase()
    -- only
    ORDER BY table, position
  ) AS columns
  INNER JOIN (
    SELECT name, any(engine) AS kind, max(ifNull(total_rows, 0)) AS most
    FROM system.tables
    WHERE database IN (currentDatabase(), {database:String}) AND engine LIKE '%MergeTree'
    GROUP BY name
  ) AS tables ON tables.name = columns.table
  GROUP BY tables.name
  HAVING (has(columns, 'position') OR hasAll(columns, ['span', 'counted'])) AND name NOT IN ('watermarks', 'table_builds') AND position(name, '__') = 0
  ORDER BY name`;

type Ranges = ReadonlyMap<string, { readonly rows: number; readonly sum: string }>;

/** Of each of the tables on one side: how many rows a range has, and their checksum. */
async function rangesOf(
  clickhouse: ClickHouseClient,
  group: readonly Comparison[],
  side: keyof Pair,
): Promise<Ranges[]> {
  const queries = group.map(({ table, [side]: { from } }, at) => {
    const content = `toString(tuple(${table.columns.map((column) => `rows.${quoted(column)}`).join(', ')}))`;
    return `
    SELECT toUInt32(${at}) AS at, toString(${rangeOf(table)}) AS range, toUInt32(count()) AS rows, toString(sum(sipHash64(${content}))) AS sum
    ${from}
    GROUP BY ${rangeOf(table)}`;
  });
  const query_params = Object.assign({}, ...group.map((each) => each[side].parameters)) as Record<string, string>;
  const answer = await clickhouse.query({ query: queries.join('\n UNION ALL'), query_params, format: 'JSONEachRow' });
  const ranges = group.map(() => new Map<string, { rows: number; sum: string }>());
  for (const { at, range, rows, sum } of await answer.json<{
    at: number;
    range: string;
    rows: number;
    sum: string;
  }>()) {
    ranges[at]!.set(range, { rows, sum: `${rows} ${sum}` });
  }
  return ranges;
}

async function rowsOf(
  clickhouse: ClickHouseClient,
  table: ComparableTable,
  selection: Selection,
  range: string,
): Promise<Map<string, Row[]>> {
  const { from, parameters } = selection;
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

function hasAll({ columns }: ComparableTable, { only }: Compared): boolean {
  return Object.keys(only).every((column) => columns.includes(column));
}

interface Selection {
  readonly from: string;
  readonly parameters: Readonly<Record<string, string>>;
}

/** A table with what is read of it on each side. */
interface Comparison extends Readonly<Record<keyof Pair, Selection>> {
  readonly table: ComparableTable;
}

function selections(table: ComparableTable, pair: Pair, compared: Compared): Record<keyof Pair, Selection> {
  const { columns, final, counts } = table;
  const { upTo, only } = compared;
  const own = Object.entries(only).filter(([column]) => columns.includes(column));
  const conditions = own.map(([column]) => `toString(rows.${quoted(column)}) = {only_${column}:String}`);
  conditions.push(
    counts
      ? `(tenant, span) NOT IN (SELECT tenant, span FROM ${pair.found} WHERE counted > {upTo:UInt64})`
      : 'rows.position <= {upTo:UInt64}',
  );
  const isListed = hasAll(table, compared) ? [] : [`rows.position IN (SELECT position FROM ${LANDING})`];
  const parameters = {
    upTo: upTo.toString(),
    ...Object.fromEntries(own.map(([column, value]) => [`only_${column}`, value])),
  };
  const selection = (source: string, where: readonly string[]): Selection => {
    return { from: `FROM ${source} AS rows ${final ? 'FINAL' : ''} WHERE ${where.join(' AND ')}`, parameters };
  };
  return {
    expected: selection(pair.expected, conditions),
    found: selection(pair.found, [...isListed, ...conditions]),
  };
}

/** The rows that come from one event, which are few. */
function compareRows(expected: readonly Row[], found: readonly Row[]): Omit<RowDifference, 'table' | 'id'>[] {
  const tenant = String((expected[0] ?? found[0])!.tenant);
  const texts = new Set(expected.map((row) => JSON.stringify(row)));
  const left = expected.map((row) => JSON.stringify(row));
  const strangers: Row[] = [];
  const differences: Omit<RowDifference, 'table' | 'id'>[] = [];
  for (const row of found) {
    const text = JSON.stringify(row);
    const at = left.indexOf(text);
    if (at >= 0) left.splice(at, 1);
    else if (texts.has(text)) differences.push({ tenant, kind: 'duplicate' });
    else strangers.push(row);
  }
  for (const text of left) {
    const row = JSON.parse(text) as Row;
    const other = strangers.shift();
    if (!other) differences.push({ tenant, kind: 'missing' });
    else differences.push({ tenant, kind: 'different', fields: differingColumns(row, other) });
  }
  return [...differences, ...strangers.map(() => ({ tenant, kind: 'unexpected' }) as const)];
}

function differingColumns(a: Row, b: Row): string[] {
  return Object.keys(a).filter((column) => JSON.stringify(a[column]) !== JSON.stringify(b[column]));
}

function rangeOf({ counts }: ComparableTable): string {
  return counts ? 'rows.span' : `intDiv(rows.position, ${RANGE})`;
}

function quoted(name: string): string {
  return `\`${name}\``;
}
