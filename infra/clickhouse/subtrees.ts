import type { ClickHouseClient } from '@clickhouse/client';
import type { ReportSql } from '../../packages/eventsourcing';
import { toDateTime64 } from './landed-rows';

/** Whom a report is about: the manager and everybody below. */
export interface Subtree {
  /** Person ids, the manager's included. */
  readonly below: readonly string[];
  /** Person ids of those below who work here. */
  readonly team: readonly string[];
}

export interface SubtreeQuestion {
  readonly tenant: string;
  readonly managers: readonly string[];
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

  /** By manager. Nobody when the question is about a time or a place in the log for which nothing is remembered; those with too many people are left out. */
  async of(question: SubtreeQuestion): Promise<ReadonlyMap<string, Subtree>> {
    const { tenant, managers, scope, asOf, upTo, peopleChanged } = question;
    const found = new Map<string, Subtree>();
    if (upTo < peopleChanged || toDateTime64(asOf) < (await this.latestOf(tenant, peopleChanged))) return found;
    const keyOf = (manager: string): string => [tenant, manager, scope].join('/');
    const isKnown = (manager: string): boolean => this.known.get(keyOf(manager))?.peopleChanged === peopleChanged;
    const unknown = managers.filter((manager) => !isKnown(manager));
    const read = unknown.length === 0 ? found : await this.read({ ...question, managers: unknown });
    for (const manager of unknown) this.remember(keyOf(manager), { peopleChanged, subtree: read.get(manager) });
    for (const manager of managers) {
      const subtree = read.get(manager) ?? this.known.get(keyOf(manager))?.subtree;
      if (subtree) found.set(manager, subtree);
    }
    return found;
  }

  private async read({ tenant, managers, scope, asOf, upTo }: SubtreeQuestion): Promise<Map<string, Subtree>> {
    const asked = { tenant, scope, asOf: toDateTime64(asOf), upTo: upTo.toString() };
    const walk = { ...asked, managers, most: this.largest + 1 };
    const walked = await this.rows<{ manager: string; people: string[] }>(this.sql.people.below, walk);
    const few = walked.filter(({ people }) => people.length <= this.largest);
    const below = [...new Set(few.flatMap(({ people }) => people))];
    const working = await this.rows<{ person: string }>(this.sql.people.team, { ...asked, manager: '', below });
    const team = new Set(working.map(({ person }) => person));
    return new Map(
      few.map(({ manager, people }) => {
        return [manager, { below: people, team: people.filter((person) => person !== manager && team.has(person)) }];
      }),
    );
  }

  private async rows<Row>(query: string, query_params: Record<string, unknown>): Promise<Row[]> {
    const answer = await this.clickhouse.query({ query, query_params, format: 'JSONEachRow' });
    return answer.json<Row>();
  }

  private async latestOf(tenant: string, peopleChanged: bigint): Promise<string> {
    const found = this.latest.get(tenant);
    if (found?.peopleChanged === peopleChanged) return found.at;
    const latest = (table: string): string =>
      `SELECT max(occurred_at) AS at FROM ${table} WHERE tenant = {tenant:String}`;
    const query = `SELECT toString(max(at)) AS at FROM (${this.sql.peopleFrom.tables.map(latest).join(' UNION ALL ')})`;
    const [{ at }] = (await this.rows<{ at: string }>(query, { tenant })) as [{ at: string }];
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
