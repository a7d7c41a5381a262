import type { ClickHouseClient } from '@clickhouse/client';
import type { ReportSql, TeamMember } from '../../packages/eventsourcing';
import { ReportingLines } from './reporting-lines';
import { toDateTime64 } from './landed-rows';

/** Whom a report is about: the manager and everybody below, by person id. */
export type Subtree = ReadonlyMap<string, TeamMember>;

export interface SubtreeQuestion {
  readonly tenant: string;
  /** Person ids. */
  readonly managers: readonly string[];
  readonly scope: string;
  /** ISO 8601. */
  readonly asOf: string;
  readonly upTo: bigint;
  /** Up to where the log had come when somebody's reporting line or employment last changed. */
  readonly peopleChanged: bigint;
}

/** More than this are found anew by each query that is about them. */
const LARGEST = 5_000;
/** Tenants whose reporting lines are remembered. */
const TENANTS = 10;
const PERSON_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The people below managers, from reporting lines that are remembered as long as they hold: managers ask for several reports about the same people,
 * and walking down the lines takes as long as the report itself.
 */
export class Subtrees {
  /** By tenant, the one that was asked about last at the end. */
  private readonly lines = new Map<string, Promise<ReportingLines>>();

  constructor(
    private readonly clickhouse: ClickHouseClient,
    private readonly sql: Pick<ReportSql, 'people'>,
    private readonly largest = LARGEST,
  ) {}

  /** By manager. Nobody when the question is about a time or a place in the log for which nothing is remembered; those with too many people are left out. */
  async of(question: SubtreeQuestion): Promise<ReadonlyMap<string, Subtree>> {
    const { tenant, scope, upTo, peopleChanged } = question;
    const asOf = toDateTime64(question.asOf);
    if (upTo < peopleChanged) return new Map();
    const lines = await this.linesOf(tenant, peopleChanged);
    if (asOf < lines.latest) return new Map();
    const managers = question.managers.filter((manager) => PERSON_ID.test(manager));
    return lines.below(managers, scope === 'direct' ? 'direct' : 'subtree', this.largest, { asOf, upTo });
  }

  private async linesOf(tenant: string, changed: bigint): Promise<ReportingLines> {
    const known = this.lines.get(tenant);
    const lines = this.linesAfter(known, tenant, changed);
    // Whoever asks next builds on these, unless they could not be read.
    this.lines.delete(tenant);
    this.lines.set(tenant, lines);
    lines.catch(() => {
      if (this.lines.get(tenant) === lines) this.lines.delete(tenant);
    });
    for (const [longestAgo] of this.lines) {
      if (this.lines.size <= TENANTS) break;
      this.lines.delete(longestAgo);
    }
    return lines;
  }

  private async linesAfter(
    known: Promise<ReportingLines> | undefined,
    tenant: string,
    changed: bigint,
  ): Promise<ReportingLines> {
    const lines = await known?.catch(() => undefined); // told to whoever asked for them
    if (lines?.changed === changed) return lines;
    if (lines && lines.changed < changed) return lines.after(changed);
    return ReportingLines.read(this.clickhouse, this.sql.people, tenant, changed);
  }
}
