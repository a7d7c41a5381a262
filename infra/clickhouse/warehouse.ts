import type { Readable } from 'node:stream';
import type { ClickHouseClient } from '@clickhouse/client';
import { toDateTime64 } from './warehouse-loader';

/** How far the warehouse had come when it answered. */
export interface Freshness {
  /** Position of the last event in every derived table. */
  readonly position: bigint;
  /** ISO 8601; when the store recorded that event. Null while the warehouse is empty. */
  readonly recordedAt: string | null;
}

/** What a report is asked. `upTo` is a position of the log; `limit` 0 is for all rows. */
export type ReportQuery = {
  readonly tenant: string;
  readonly asOf: string;
  readonly upTo: bigint;
  readonly limit?: number | string;
  readonly offset?: number | string;
} & Readonly<Record<string, unknown>>;

/** Reads the reports; never writes. */
export class Warehouse {
  private readonly reports = new Map<string, string>();

  /** @param readReport gives the SQL of a report by its name */
  constructor(
    private readonly clickhouse: ClickHouseClient,
    private readonly readReport: (name: string) => string,
  ) {}

  /**
   * Rows of `<name>.report.sql`, about the world at `asOf` (ISO 8601), from the log up to `upTo` and no further. `limit` and `offset` give a
   * part of them; what else is not given is as the SQL says.
   */
  async report<Row>(name: string, parameters: ReportQuery): Promise<Row[]> {
    const answer = await this.clickhouse.query({ ...this.prepared(name, parameters), format: 'JSONEachRow' });
    return answer.json<Row>();
  }

  /** The same as ClickHouse writes it in one of its formats, piece by piece. */
  async export(name: string, parameters: ReportQuery, format: string): Promise<Readable> {
    const { query, ...rest } = this.prepared(name, parameters);
    const { stream } = await this.clickhouse.exec({ ...rest, query: `${query}\nFORMAT ${format}` });
    return stream;
  }

  /** The same as it comes: the names of the columns, then the values of each row. */
  async *lines(name: string, parameters: ReportQuery): AsyncIterable<readonly unknown[]> {
    const prepared = this.prepared(name, parameters);
    const answer = await this.clickhouse.query({ ...prepared, format: 'JSONCompactEachRowWithNames' });
    for await (const rows of answer.stream<unknown[]>()) for (const row of rows) yield row.json();
  }

  private prepared(name: string, { limit = 0, offset = 0, ...parameters }: ReportQuery) {
    const query = this.reports.get(name) ?? this.readReport(name);
    this.reports.set(name, query);
    const asOf = toDateTime64(parameters.asOf);
    const query_params = { ...defaultsOf(query), ...parameters, asOf, upTo: parameters.upTo.toString() };
    const clickhouse_settings = {
      output_format_json_quote_64bit_integers: 0,
      limit: String(limit),
      offset: String(offset),
    } as const;
    return { query, query_params, clickhouse_settings };
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
    return (await this.freshness(tables)).position;
  }

  /** @param tables only these migrations count, each of which must have begun; all when empty */
  async freshness(tables: readonly string[] = []): Promise<Freshness> {
    const query_params = { tables };
    const answer = await this.clickhouse.query({ query: FRESHNESS, query_params, format: 'JSONEachRow' });
    const [row] = await answer.json<{ position: string; recordedAt: string | null }>();
    return { position: BigInt(row?.position ?? 0), recordedAt: row?.recordedAt ?? null };
  }
}

const REACHED = `
  WITH
  (
    SELECT if(uniqExact(name) >= length({tables:Array(String)}), min(reached), 0)
    FROM (SELECT name, max(position) AS reached FROM watermarks GROUP BY name)
    WHERE empty({tables:Array(String)}) OR name IN {tables:Array(String)}
  ) AS reached`;

const FRESHNESS = `
  ${REACHED}
  SELECT
    toString(reached) AS position,
    (SELECT concat(replaceOne(toString(recorded_at), ' ', 'T'), 'Z') FROM events WHERE position = reached) AS recordedAt`;

/** What the SQL of a report says of its parameters: `-- default <parameter> <value>`. */
function defaultsOf(sql: string): Record<string, string> {
  const defaults = sql.matchAll(/^-- default (\w+) ?(.*)$/gm);
  return Object.fromEntries([...defaults].map(([, parameter = '', value = '']) => [parameter, value]));
}
