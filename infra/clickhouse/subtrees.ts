import type { ClickHouseClient } from '@clickhouse/client';
import type { ReportSql } from '../../packages/eventsourcing';
import { toDateTime64 } from './warehouse-loader';

/** Whom a report is about: the manager and everybody below. */
export interface Subtree {
  /** Person ids, the manager's included. */
  readonly below: readonly string[];
  /** Person ids of those below who work here. */
  readonly team: readonly string[];
}

export interface SubtreeQuestion {
  readonly tenant: string;
  readonly manager: string;
  readonly scope: string;
  /** ISO 8601. */
  readonly asOf: string;
  readonly upTo: bigint;
  /** Up to where the log had come when somebody's reporting line or employment last changed. */
  readonly peopleChanged: bigint;
}

interface Known {
  readonly peopleChanged: bigint;
  /** Undefined when there are too many to hand them to a query. */
  readonly subtree: Subtree | undefined;
}

/** More than this are found anew by each query that is about them. */
const LARGEST = 5_000;
/** Ids that are remembered, of all subtrees together. */
const REMEMBERED = 500_000;

/**
 * The people below a manager, remembered as long as nobody's reporting line or employment changes: a manager asks for several reports about the same
 * people, and walking down the lines takes as long as the report itself.
 */
export class Subtrees {
  private readonly known = new Map<string, Known>();
  private remembered = 0;
  /** When the last change of a tenant's people takes effect. */
  private readonly latest = new Map<string, { peopleChanged: bigint; at: string }>();

  constructor(
    private readonly clickhouse: ClickHouseClient,
    private readonly sql: Pick<ReportSql, 'people' | 'peopleFrom'>,
    private readonly largest = LARGEST,
  ) {}

  /** Undefined when the question is about a time or a place in the log for which nothing is remembered, or about too many people. */
  async of(question: SubtreeQuestion): Promise<Subtree | undefined> {
    const { tenant, manager, scope, asOf, upTo, peopleChanged } = question;
    if (upTo < peopleChanged || toDateTime64(asOf) < (await this.latestOf(tenant, peopleChanged))) return undefined;
    const key = [tenant, manager, scope].join('/');
    const found = this.known.get(key);
    if (found?.peopleChanged === peopleChanged) return found.subtree;
    const subtree = await this.read(question);
    this.remember(key, { peopleChanged, subtree });
    return subtree;
  }

  private async read({ tenant, manager, scope, asOf, upTo }: SubtreeQuestion): Promise<Subtree | undefined> {
    const asked = { tenant, manager, scope, asOf: toDateTime64(asOf), upTo: upTo.toString() };
    const { below: walk, team: working } = this.sql.people;
    const below = await this.persons(`${walk} LIMIT ${this.largest + 1}`, asked);
    if (below.length > this.largest) return undefined;
    return { below, team: await this.persons(working, { ...asked, below }) };
  }

  private async persons(query: string, query_params: Record<string, unknown>): Promise<string[]> {
    const answer = await this.clickhouse.query({ query, query_params, format: 'JSONEachRow' });
    return (await answer.json<{ person: string }>()).map(({ person }) => person);
  }

  private async latestOf(tenant: string, peopleChanged: bigint): Promise<string> {
    const found = this.latest.get(tenant);
    if (found?.peopleChanged === peopleChanged) return found.at;
    const latest = (table: string): string =>
      `SELECT max(occurred_at) AS at FROM ${table} WHERE tenant = {tenant:String}`;
    const query = `SELECT toString(max(at)) AS at FROM (${this.sql.peopleFrom.tables.map(latest).join(' UNION ALL ')})`;
    const answer = await this.clickhouse.query({ query, query_params: { tenant }, format: 'JSONEachRow' });
    const [{ at }] = (await answer.json<{ at: string }>()) as [{ at: string }];
    this.latest.set(tenant, { peopleChanged, at });
    return at;
  }

  private remember(key: string, known: Known): void {
    this.forget(key);
    this.known.set(key, known);
    this.remembered += sizeOf(known);
    for (const [oldest] of this.known) {
      if (this.remembered <= REMEMBERED) return;
      this.forget(oldest);
    }
  }

  private forget(key: string): void {
    const known = this.known.get(key);
    if (known) this.remembered -= sizeOf(known);
    this.known.delete(key);
  }
}

function sizeOf({ subtree }: Known): number {
  return 1 + (subtree ? subtree.below.length : 0);
}
