import type { ClickHouseClient } from '@clickhouse/client';
import type { ReportSql, TeamMember } from '../../packages/eventsourcing';

/** Where in the log and until when the lines are read: ISO 8601 as ClickHouse writes it, and a position. */
export interface LineMoment {
  readonly asOf: string;
  readonly upTo: bigint;
}

type Facts = Omit<TeamMember, 'lead'>;
type PeopleSql = ReportSql['people'];

/** Ids of a change that are looked at one by one; when more changed, everything is read anew. */
const MOST_CHANGED = 10_000;
/** People of one tenant who are remembered. */
const REMEMBERED = 100_000;
/** Longest reporting line that is followed. */
const DEPTH = 32;

/**
 * Who reports to whom in one tenant, read team by team when somebody asks about them, and remembered: however many managers ask, each team is read
 * once. One instance is about one state of the reporting lines; `after` gives the next one, which keeps what has not changed.
 */
export class ReportingLines {
  private teams = new Map<string, readonly string[]>();
  private facts = new Map<string, Facts>();

  private constructor(
    private readonly clickhouse: ClickHouseClient,
    private readonly sql: PeopleSql,
    private readonly tenant: string,
    /** How far the log had come when somebody's reporting line or employment last changed. */
    readonly changed: bigint,
    /** When the last change takes effect, as ClickHouse writes it: before that moment other lines hold. */
    readonly latest: string,
    /** Which builds made the rows that it is read from. */
    private readonly builds: string,
  ) {}

  static async read(
    clickhouse: ClickHouseClient,
    sql: PeopleSql,
    tenant: string,
    changed: bigint,
  ): Promise<ReportingLines> {
    const { latest, builds } = await changesOf(clickhouse, sql, tenant, 0n, changed);
    return new ReportingLines(clickhouse, sql, tenant, changed, latest, builds);
  }

  /**
   * The lines after a change, without the teams and people that it touches, or without any when a table was built anew. What still reads from
   * this one goes on with an empty memory.
   */
  async after(changed: bigint): Promise<ReportingLines> {
    const { clickhouse, sql, tenant } = this;
    const change = await changesOf(clickhouse, sql, tenant, this.changed, changed);
    if (change.builds !== this.builds) return ReportingLines.read(clickhouse, sql, tenant, changed);
    const latest = change.latest > this.latest ? change.latest : this.latest;
    const next = new ReportingLines(clickhouse, sql, tenant, changed, latest, change.builds);
    if (change.managers.length > MOST_CHANGED || change.people.length > MOST_CHANGED) return next;
    next.teams = this.teams;
    next.facts = this.facts;
    this.teams = new Map();
    this.facts = new Map();
    for (const manager of change.managers) next.teams.delete(manager);
    for (const person of change.people) next.facts.delete(person);
    return next;
  }

  /**
   * Everybody below each of these managers, or only who reports to them, with the manager themselves, by person id. A manager with more than
   * `most` people is left out.
   */
  async below(
    managers: readonly string[],
    depth: 'subtree' | 'direct',
    most: number,
    at: LineMoment,
  ): Promise<Map<string, Map<string, TeamMember>>> {
    const walks = managers.map((manager) => new Walk(manager));
    for (let level = 0; level < (depth === 'direct' ? 1 : DEPTH); level++) {
      const going = walks.filter((walk) => walk.reached.size > 0 && walk.leads.size <= most);
      if (going.length === 0) break;
      const teams = await this.teamsOf(new Set(going.flatMap(({ reached }) => [...reached])), at);
      for (const walk of going) walk.down(teams);
    }
    const few = walks.filter(({ leads }) => leads.size <= most);
    const facts = await this.factsOf(new Set(few.flatMap(({ leads }) => [...leads.keys()])), at);
    return new Map(few.map((walk) => [walk.manager, walk.membersWith(facts)]));
  }

  private async teamsOf(
    managers: ReadonlySet<string>,
    at: LineMoment,
  ): Promise<ReadonlyMap<string, readonly string[]>> {
    return remembered(
      () => this.teams,
      managers,
      async (unknown) => {
        const rows = await this.rows<{ manager: string; people: string[] }>(this.sql.teams, unknown, at);
        const found = new Map(rows.map(({ manager, people }) => [manager, people]));
        return unknown.map((manager) => [manager, found.get(manager) ?? []]);
      },
    );
  }

  private async factsOf(people: ReadonlySet<string>, at: LineMoment): Promise<ReadonlyMap<string, Facts>> {
    return remembered(
      () => this.facts,
      people,
      async (unknown) => {
        const rows = await this.rows<{ person: string } & Facts>(this.sql.facts, unknown, at);
        const found = new Map(rows.map(({ person, ...facts }) => [person, facts]));
        return unknown.map((person) => [person, found.get(person) ?? { works: false, employeeNumber: '' }]);
      },
    );
  }

  private async rows<Row>(query: string, ids: readonly string[], { asOf, upTo }: LineMoment): Promise<Row[]> {
    const query_params = { tenant: this.tenant, ids, asOf, upTo: upTo.toString() };
    const answer = await this.clickhouse.query({ query, query_params, format: 'JSONEachRow' });
    return answer.json<Row>();
  }
}

/**
 * What is known of these ids, after what is not was read.
 * @param memory where it is remembered, which may be another one once it was read
 */
async function remembered<Value>(
  memory: () => Map<string, Value>,
  ids: ReadonlySet<string>,
  read: (unknown: readonly string[]) => Promise<readonly (readonly [string, Value])[]>,
): Promise<ReadonlyMap<string, Value>> {
  const answer = new Map<string, Value>();
  const unknown: string[] = [];
  for (const id of ids) {
    const value = memory().get(id);
    if (value === undefined) unknown.push(id);
    else answer.set(id, value);
  }
  if (unknown.length === 0) return answer;
  const found = await read(unknown);
  const known = memory();
  if (known.size + found.length > REMEMBERED) known.clear();
  for (const [id, value] of found) {
    known.set(id, value);
    answer.set(id, value);
  }
  return answer;
}

/** The way down from one manager, level by level. */
class Walk {
  /** Those of the last level. */
  reached: ReadonlySet<string>;
  /** Whom everybody reports to whom the walk has come to. */
  readonly leads = new Map<string, string>();

  constructor(readonly manager: string) {
    this.reached = new Set([manager]);
    this.leads.set(manager, '');
  }

  down(teams: ReadonlyMap<string, readonly string[]>): void {
    const next = new Set<string>();
    for (const lead of this.reached) {
      for (const person of teams.get(lead)!) {
        if (this.leads.has(person)) continue;
        this.leads.set(person, lead);
        next.add(person);
      }
    }
    this.reached = next;
  }

  membersWith(facts: ReadonlyMap<string, Facts>): Map<string, TeamMember> {
    return new Map([...this.leads].map(([person, lead]) => [person, { lead, ...facts.get(person)! }]));
  }
}

interface Changes {
  /** Ids of those whose teams changed, and of those whose employment did. */
  readonly managers: readonly string[];
  readonly people: readonly string[];
  readonly latest: string;
  /** Which builds made the tables' rows. */
  readonly builds: string;
}

async function changesOf(
  clickhouse: ClickHouseClient,
  sql: PeopleSql,
  tenant: string,
  after: bigint,
  upTo: bigint,
): Promise<Changes> {
  const query_params = { tenant, after: after.toString(), upTo: upTo.toString(), most: MOST_CHANGED + 1 };
  const answer = await clickhouse.query({ query: sql.changes, query_params, format: 'JSONEachRow' });
  const [changes] = await answer.json<Changes>();
  return changes!;
}
