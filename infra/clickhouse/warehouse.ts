import type { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import type { CountedReport, ReportSql } from '../../packages/eventsourcing';
import { type Subtree, Subtrees } from './subtrees';
import { toDateTime64 } from './landed-rows';

/** How far the warehouse had come when it answered. */
export interface Freshness {
  /** Position of the last event in every derived table. */
  readonly position: bigint;
  /** ISO 8601; when the store recorded that event. Null while the warehouse is empty. */
  readonly recordedAt: string | null;
  /** How far the log had come when one of the tables last took rows: up to each position from there on, they have the same. */
  readonly changed?: bigint | undefined;
  /** How far the log had come when somebody's reporting line or employment last changed; left out where that is not known. */
  readonly peopleChanged?: bigint | undefined;
}

/** What a report is asked. `upTo` is a position of the log; `limit` 0 is for all rows. */
export type ReportQuery = {
  readonly tenant: string;
  readonly asOf: string;
  readonly upTo: bigint;
  readonly limit?: number | string;
  readonly offset?: number | string;
  /** As `Freshness` has it. With it, the people below a manager are remembered from one report to the next. */
  readonly peopleChanged?: bigint | undefined;
} & Readonly<Record<string, unknown>>;

/** Reads the reports; never writes. */
export class Warehouse {
  private readonly reports = new Map<string, string>();
  private readonly subtrees: Subtrees;
  /** When the event at a position was recorded: the last one that was asked for. */
  private recorded: { readonly position: string; readonly at: string | null } | undefined;

  constructor(
    private readonly clickhouse: ClickHouseClient,
    private readonly sql: ReportSql,
  ) {
    this.subtrees = new Subtrees(clickhouse, sql);
  }

  /**
   * Rows of `<name>.report.sql`, about the world at `asOf` (ISO 8601), from the log up to `upTo` and no further. `limit` and `offset` give a
   * part of them; what else is not given is as the SQL says.
   */
  async report<Row>(name: string, parameters: ReportQuery): Promise<Row[]> {
    const prepared = await this.prepared(name, parameters);
    const answer = await this.clickhouse.query({ ...prepared, format: 'JSONEachRow' });
    return answer.json<Row>();
  }

  /**
   * The same for several managers at once, as one query about the people of all of them: for a small team ClickHouse takes longer to understand a
   * report than to answer it. Only for reports that are `partedBy` something; `limit` is no promise.
   */
  async reportsOf<Row extends object>(
    name: string,
    managers: readonly string[],
    parameters: ReportQuery,
  ): Promise<ReadonlyMap<string, Row[]>> {
    const { tenant, asOf, upTo, peopleChanged } = parameters;
    const { scope = 'subtree' } = parameters as { scope?: string };
    const question = { tenant, managers, scope, asOf, upTo };
    const subtrees = peopleChanged === undefined ? NONE : await this.subtrees.of({ ...question, peopleChanged });
    const reports = new Map<string, Row[]>();
    const counted = this.sql.counted(name);
    for (const group of groupsOf(subtrees)) {
      const found = counted
        ? await this.counted<Row>(counted, new Map(group), parameters)
        : await this.parted<Row>(name, new Map(group), parameters, scope);
      for (const [manager, rows] of found) reports.set(manager, rows);
    }
    for (const manager of managers) {
      if (!reports.has(manager)) reports.set(manager, await this.report<Row>(name, { ...parameters, manager }));
    }
    return reports;
  }

  private async parted<Row extends object>(
    name: string,
    subtrees: ReadonlyMap<string, Subtree>,
    parameters: ReportQuery,
    scope: string,
  ): Promise<Map<string, Row[]>> {
    const prepared = this.preparedFor(name, { ...parameters, limit: 0, manager: SEVERAL }, subtrees);
    const answer = await this.clickhouse.query({ ...prepared, format: 'JSONEachRow' });
    const rows = await answer.json<Row>();
    const ofManager = ([manager, subtree]: [string, Subtree]) =>
      rows.filter(belongsTo(manager, subtree, scope, this.sql.partedBy(name)!));
    return new Map([...subtrees].map((entry) => [entry[0], ofManager(entry)]));
  }

  private async counted<Row extends object>(
    { sql, count }: CountedReport,
    subtrees: ReadonlyMap<string, Subtree>,
    parameters: ReportQuery,
  ): Promise<Map<string, Row[]>> {
    const answer = await this.clickhouse.query({
      ...preparedOf(sql, { ...parameters, limit: 0 }, subtrees),
      format: 'JSONCompactEachRow',
    });
    const rows = new Map<string, unknown[][]>();
    for (const row of await answer.json<unknown[]>()) {
      const person = row[0] as string;
      const others = rows.get(person);
      if (others) others.push(row);
      else rows.set(person, [row]);
    }
    const asked = { ...defaultsOf(sql), ...parameters };
    return new Map(
      [...subtrees].map(([manager, subtree]) => [manager, count(rows, subtree, { ...asked, manager }) as Row[]]),
    );
  }

  /** The same as ClickHouse writes it in one of its formats, piece by piece. */
  async export(name: string, parameters: ReportQuery, format: string): Promise<Readable> {
    const { query, ...rest } = await this.prepared(name, parameters);
    const { stream } = await this.clickhouse.exec({ ...rest, query: `${query}\nFORMAT ${format}` });
    return stream;
  }

  /** The same as it comes: the names of the columns, then the values of each row. */
  async *lines(name: string, parameters: ReportQuery): AsyncIterable<readonly unknown[]> {
    const prepared = await this.prepared(name, parameters);
    const answer = await this.clickhouse.query({ ...prepared, format: 'JSONCompactEachRowWithNames' });
    for await (const rows of answer.stream<unknown[]>()) for (const row of rows) yield row.json();
  }

  private async prepared(name: string, parameters: ReportQuery) {
    const { tenant, asOf, upTo, peopleChanged } = parameters;
    const { manager, scope = 'subtree' } = parameters as { manager?: string; scope?: string };
    if (!manager || peopleChanged === undefined) return this.preparedFor(name, parameters, undefined);
    const subtrees = await this.subtrees.of({ tenant, managers: [manager], scope, asOf, upTo, peopleChanged });
    return this.preparedFor(name, parameters, subtrees.size === 0 ? undefined : subtrees);
  }

  /** @param subtrees by manager, where they are known */
  private preparedFor(name: string, asked: ReportQuery, subtrees: ReadonlyMap<string, Subtree> | undefined) {
    return preparedOf(this.sqlOf(name, subtrees), asked, subtrees);
  }

  private sqlOf(name: string, subtrees: object | undefined): string {
    const people = subtrees && 'given';
    const key = [name, people].join();
    const query = this.reports.get(key) ?? this.sql.report(name, people);
    this.reports.set(key, query);
    return query;
  }

  /**
   * The last event that every derived table has and that stood in the log at a position, or was recorded by a moment (ISO 8601).
   * Position 0 when there is none.
   * @param tables only these migrations count
   */
  async known(at: { position: bigint } | { moment: string }, tables: readonly string[] = []): Promise<Freshness> {
    const condition =
      'position' in at ? 'events.position <= {position:UInt64}' : "recorded_at <= {moment:DateTime64(3, 'UTC')}";
    const limit = 'position' in at ? { position: at.position.toString() } : { moment: toDateTime64(at.moment) };
    const query_params = { tables, ...limit };
    const query = `${REACHED}
      SELECT toString(events.position) AS position, concat(replaceOne(toString(recorded_at), ' ', 'T'), 'Z') AS recordedAt
      FROM events WHERE events.position <= reached AND ${condition} ORDER BY events.position DESC LIMIT 1`;
    const answer = await this.clickhouse.query({ query, query_params, format: 'JSONEachRow' });
    const [row] = await answer.json<{ position: string; recordedAt: string }>();
    return { position: BigInt(row?.position ?? 0), recordedAt: row?.recordedAt ?? null };
  }

  async position(tables: readonly string[] = []): Promise<bigint> {
    const { reached } = await this.marks();
    return least(tables.length === 0 ? [...reached.values()] : positionsOf(tables, reached));
  }

  /** @param tables only these migrations count, each of which must have begun; all when empty */
  async freshness(tables: readonly string[] = []): Promise<Freshness> {
    const { reached, changed } = await this.marks();
    const position = least(tables.length === 0 ? [...reached.values()] : positionsOf(tables, reached));
    const isKnown = least(positionsOf(this.sql.peopleFrom, reached)) >= position;
    const peopleChanged = isKnown ? greatest(positionsOf(this.sql.peopleFrom, changed)) : undefined;
    const lastChanged = greatest(tables.length === 0 ? [...changed.values()] : positionsOf(tables, changed));
    return { position, recordedAt: await this.recordedAt(position.toString()), changed: lastChanged, peopleChanged };
  }

  /** Of each migration up to where its table has its rows, and how far the log had come when it last took some. */
  private async marks(): Promise<Record<'reached' | 'changed', ReadonlyMap<string, bigint>>> {
    const answer = await this.clickhouse.query({ query: WATERMARKS, format: 'JSONEachRow' });
    const reached = new Map<string, bigint>();
    const changed = new Map<string, bigint>();
    for (const row of await answer.json<{ name: string; reached: string; changed: string }>()) {
      reached.set(row.name, greatest([reached.get(row.name) ?? 0n, BigInt(row.reached)]));
      changed.set(row.name, greatest([changed.get(row.name) ?? 0n, BigInt(row.changed)]));
    }
    return { reached, changed };
  }

  private async recordedAt(position: string): Promise<string | null> {
    if (this.recorded?.position === position) return this.recorded.at;
    const query = RECORDED_AT;
    const answer = await this.clickhouse.query({ query, query_params: { position }, format: 'JSONEachRow' });
    const [row] = await answer.json<{ at: string }>();
    const at = row?.at ?? null;
    this.recorded = { position, at };
    return at;
  }
}

const REACHED = `
  WITH
  (
    SELECT if(uniqExact(name) >= length({tables:Array(String)}), min(reached), 0)
    FROM (SELECT name, max(position) AS reached FROM watermarks GROUP BY name)
    WHERE empty({tables:Array(String)}) OR name IN {tables:Array(String)}
  ) AS reached`;

/** Short, since every report asks it first: of the rows of a name that are not merged yet, the greatest is taken here. */
const WATERMARKS = 'SELECT name, toString(position) AS reached, toString(changed) AS changed FROM watermarks';

function positionsOf(names: readonly string[], marks: ReadonlyMap<string, bigint>): bigint[] {
  return names.map((name) => marks.get(name) ?? 0n);
}

function least(positions: readonly bigint[]): bigint {
  return positions.reduce((a, b) => (a < b ? a : b), positions[0] ?? 0n);
}

function greatest(positions: readonly bigint[]): bigint {
  return positions.reduce((a, b) => (a > b ? a : b), 0n);
}

const RECORDED_AT = `
  SELECT concat(replaceOne(toString(recorded_at), ' ', 'T'), 'Z') AS at FROM events WHERE position = {position:UInt64}`;

function preparedOf(sql: string, asked: ReportQuery, subtrees: ReadonlyMap<string, Subtree> | undefined) {
  const { limit = 0, offset = 0, peopleChanged: _, upTo, ...parameters } = asked;
  const asOf = toDateTime64(parameters.asOf);
  const people = subtrees && peopleOf(subtrees);
  const query_params = namedIn(sql, { ...defaultsOf(sql), ...parameters, ...people, asOf, upTo: upTo.toString() });
  // The people who are known are few enough for one thread, and what comes of them all is sooner there than several threads are started.
  const clickhouse_settings = {
    output_format_json_quote_64bit_integers: 0,
    ...(people && { max_threads: 1 }),
  } as const;
  return { query: partOf(sql, Number(limit), Number(offset)), query_params, clickhouse_settings };
}

/** What the SQL of a report says of its parameters: `-- default <parameter> <value>`. */
function defaultsOf(sql: string): Record<string, string> {
  const defaults = sql.matchAll(/^-- default (\w+) ?(.*)$/gm);
  return Object.fromEntries([...defaults].map(([, parameter = '', value = '']) => [parameter, value]));
}

/** ClickHouse reads each parameter before it reads the query, and lists of people are long. */
function namedIn(sql: string, parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => sql.includes(`{${name}:`)));
}

/** Everybody of several subtrees, as reports take them; see `ReportSql`. */
function peopleOf(subtrees: ReadonlyMap<string, Subtree>) {
  const below = new Set<string>();
  const team = new Set<string>();
  for (const [manager, subtree] of subtrees) {
    for (const [person, { works }] of subtree) {
      below.add(person);
      if (works && person !== manager) team.add(person);
    }
  }
  return { below: [...below], team: [...team] };
}

/** Rows of a query's answer. As part of the text: the settings that say the same make ClickHouse analyse the query twice. */
function partOf(sql: string, limit: number, offset: number): string {
  if (limit === 0 && offset === 0) return sql;
  const [query, settings] = sql.split(/^(?=SETTINGS )/m);
  return `${query!.trimEnd()}\nLIMIT ${offset}, ${limit === 0 ? '18446744073709551615' : limit}\n${settings ?? ''}`;
}

const NONE: ReadonlyMap<string, Subtree> = new Map();
/** In place of a manager's id, where a query is about the people of several. */
const SEVERAL = 'several';
/** People whom one query is about. */
const MOST_PEOPLE = 5_000;

/** Subtrees that go into one query together. */
function groupsOf(subtrees: ReadonlyMap<string, Subtree>): [string, Subtree][][] {
  const groups: [string, Subtree][][] = [];
  let people = Infinity;
  for (const entry of subtrees) {
    people += entry[1].size;
    if (people > MOST_PEOPLE) {
      groups.push([]);
      people = entry[1].size;
    }
    groups.at(-1)!.push(entry);
  }
  return groups;
}

/** Whether a row would be in the report about the people below this manager alone. */
function belongsTo(manager: string, subtree: Subtree, scope: string, partedBy: 'manager' | 'person') {
  return (row: object): boolean => {
    const id = (row as Record<string, string>)[partedBy]!;
    if (partedBy === 'person') return id !== manager && subtree.has(id);
    return scope === 'direct' ? id === manager : subtree.has(id);
  };
}
