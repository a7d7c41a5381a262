import type { Collection, Db, Filter } from 'mongodb';
import { isDeepStrictEqual } from 'node:util';
import type { Warehouse } from '../../infra/clickhouse';
import type { Stored } from '../../infra/mongo';
import { canonicalJson } from '../../packages/eventsourcing';
import { collectionOf } from '../../projections/mongo/collection';
import type { Replayed } from './replay';
import type { Pass } from './replay-passes';
import type { Scope, Selection } from './scope';

/** Where a store says something else than the log. */
export interface Difference {
  /** The store, and the collection, table or report in it. */
  readonly where: string;
  /** Id of the document, position of the row's event, or key of the report's row. */
  readonly id: string;
  readonly kind: 'missing' | 'unexpected' | 'different' | 'duplicate' | 'behind';
  /** Names of the fields that differ. */
  readonly fields?: readonly string[];
}

export interface CheckResult {
  readonly ok: boolean;
  /** Documents and rows compared. */
  readonly compared: number;
  /** Differences found; the first hundred are listed. */
  readonly differing: number;
  readonly differences: readonly Difference[];
}

const LISTED = 100;
/** Later than any event, so that nothing is left out of the warehouse's side. */
export const END_OF_TIME = '2200-01-01T00:00:00.000Z';

/** Gathers what was compared and what differs. */
export class CheckTally {
  compared = 0;
  private differing = 0;
  private readonly listed: Difference[] = [];

  /** Differences by where they are. */
  readonly byPlace = new Map<string, number>();

  add(difference: Difference): void {
    this.differing++;
    this.byPlace.set(difference.where, (this.byPlace.get(difference.where) ?? 0) + 1);
    if (this.listed.length < LISTED) this.listed.push(difference);
  }

  get result(): CheckResult {
    const { compared, differing, listed: differences } = this;
    return { ok: differing === 0, compared, differing, differences };
  }
}

/** Holds the documents of one pass against those in MongoDB with ids of the same range. MongoDB must have reached `upTo`. */
export async function checkCollections(
  { now, from, to, upTo }: Pass,
  { filter }: Selection,
  db: Db,
  head: () => Promise<bigint | undefined>,
  tally: CheckTally,
): Promise<void> {
  const range = { $gte: from, ...(to !== undefined && { $lt: to }) };
  for (const projection of now.projections) {
    const inRange = { $and: [filter, { _id: range }] } as Filter<Stored>;
    const collection = (await collectionOf(db, projection)) as unknown as Collection<Stored>;
    const where = `mongodb ${projection.name}`;
    const expected = new Map(now.documentsOf(projection));
    tally.compared += expected.size;
    for await (const { position, ...found } of collection.find(inRange)) {
      const document = expected.get(found._id);
      expected.delete(found._id);
      const changedAt = BigInt(position.toString());
      if (changedAt > upTo) {
        // Changed since the replay read the log, if the log has come so far; then there is nothing to compare it with.
        if (changedAt > ((await head()) ?? 0n))
          tally.add({ where, id: found._id, kind: 'different', fields: ['position'] });
      } else if (!document) tally.add({ where, id: found._id, kind: 'unexpected' });
      else if (canonicalJson(found) !== canonicalJson(document)) {
        tally.add({ where, id: found._id, kind: 'different', fields: differingFields(document, found) });
      }
    }
    for (const id of expected.keys()) tally.add({ where, id, kind: 'missing' });
  }
}

/** Holds the reports that documents can be counted for against the warehouse's SQL. The warehouse must have reached the replay's position. */
export async function checkReports(
  { courseOutcomes, teamCompliance, upTo }: Replayed,
  { tenant, course }: Scope & { tenant: string },
  warehouse: Warehouse,
  tally: CheckTally,
): Promise<void> {
  const asOf = { tenant, asOf: END_OF_TIME, upTo };
  const outcomes = await warehouse.report<{ course: string }>('course-outcomes', asOf);
  const rows = course ? outcomes.filter((row) => row.course === course) : outcomes;
  compareRows('clickhouse course-outcomes', courseOutcomes, rows, 'course', tally);
  if (course) return;
  const teams = await warehouse.report<{ manager: string }>('team-compliance', { ...asOf, manager: '' });
  compareRows('clickhouse team-compliance', teamCompliance, teams, 'manager', tally);
}

function compareRows<Row extends object>(
  where: string,
  expected: readonly Row[],
  found: readonly object[],
  key: keyof Row & string,
  tally: CheckTally,
): void {
  const idOf = (row: object): string => String((row as Record<string, unknown>)[key]);
  const foundById = new Map(found.map((row) => [idOf(row), row]));
  tally.compared += expected.length;
  for (const row of expected) {
    const id = idOf(row);
    const other = foundById.get(id);
    foundById.delete(id);
    const fields = other ? differingFields(row, other) : [];
    if (!other) tally.add({ where, id, kind: 'missing' });
    else if (fields.length > 0) tally.add({ where, id, kind: 'different', fields });
  }
  for (const id of foundById.keys()) tally.add({ where, id, kind: 'unexpected' });
}

function differingFields(expected: object, found: object): string[] {
  const [a, b] = [expected, found] as Record<string, unknown>[] as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((field) => !sameValue(a[field], b[field]));
}

/** Means and ratios are summed in another order by ClickHouse: equal to within rounding. */
function sameValue(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a));
  return isDeepStrictEqual(a, b);
}
