import type { Collection, Db, Filter } from 'mongodb';
import { isDeepStrictEqual } from 'node:util';
import type { Warehouse } from '../../infra/clickhouse';
import type { Stored } from '../../infra/mongo';
import { canonicalJson } from '../../packages/eventsourcing';
import { collectionOf } from '../../projections/mongo/collection';
import type { AnyFold, Replay, Scope } from './replay';

/** Where a store says something else than the log. */
export interface Difference {
  readonly where: string;
  readonly id: string;
  readonly kind: 'missing' | 'unexpected' | 'different';
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
const END_OF_TIME = '2200-01-01T00:00:00.000Z';

/** Holds the read models and the warehouse against a replay of everything. Both must have reached the replay's position. */
export async function checkReplay(
  replay: Replay,
  scope: Scope,
  db: Db,
  warehouse: Warehouse,
  head: () => Promise<bigint | undefined>,
): Promise<CheckResult> {
  const differences: Difference[] = [];
  let compared = 0;
  for (const fold of replay.folds as readonly AnyFold[]) {
    compared += await compareCollection(fold, scope, replay.position, db, head, differences);
  }
  compared += await compareLanding(replay, scope, warehouse, differences);
  const asOf = { tenant: scope.tenant, asOf: END_OF_TIME, upTo: replay.position };
  if (!scope.person) {
    const outcomes = await warehouse.report<{ course: string }>('course-outcomes', asOf);
    const rows = scope.course ? outcomes.filter(({ course }) => course === scope.course) : outcomes;
    compared += compareRows('clickhouse course-outcomes', replay.courseOutcomes(), rows, 'course', differences);
  }
  if (!scope.person && !scope.course) {
    const rows = await warehouse.report<{ manager: string }>('team-compliance', { ...asOf, manager: '' });
    const expected = replay.teamCompliance(END_OF_TIME.slice(0, 10));
    compared += compareRows('clickhouse team-compliance', expected, rows, 'manager', differences);
  }
  const differing = differences.length;
  return { ok: differing === 0, compared, differing, differences: differences.slice(0, LISTED) };
}

async function compareCollection(
  { projection, documents }: AnyFold,
  { tenant, person, course }: Scope,
  position: bigint,
  db: Db,
  head: () => Promise<bigint | undefined>,
  differences: Difference[],
): Promise<number> {
  const where = `mongodb ${projection.name}`;
  const ofPerson = person && { $or: [{ _id: person }, { person }] };
  const filter = { tenant, ...ofPerson, ...(course && { course }) } as Filter<Stored>;
  const expected = new Map(documents);
  const compared = expected.size;
  const collection = (await collectionOf(db, projection)) as unknown as Collection<Stored>;
  for await (const stored of collection.find(filter)) {
    const { position: changedAt, ...found } = stored;
    const document = expected.get(found._id);
    expected.delete(found._id);
    const changed = BigInt(changedAt.toString());
    if (changed > position) {
      // Changed since the replay read the log, if the log has come so far; then there is nothing to compare it with.
      if (changed > ((await head()) ?? 0n))
        differences.push({ where, id: found._id, kind: 'different', fields: ['position'] });
      continue;
    }
    if (!document) differences.push({ where, id: found._id, kind: 'unexpected' });
    else if (canonicalJson(found) !== canonicalJson(document)) {
      differences.push({ where, id: found._id, kind: 'different', fields: differingFields(document, found) });
    }
  }
  for (const id of expected.keys()) differences.push({ where, id, kind: 'missing' });
  return compared;
}

/** Every event of the tenant stands in the landing table as it stands in the log, once. */
async function compareLanding(
  { landing, readUpTo: upTo }: Replay,
  { tenant }: Scope,
  warehouse: Warehouse,
  differences: Difference[],
): Promise<number> {
  const where = 'clickhouse events';
  const expected = new Map(landing);
  for await (const { position, digest } of warehouse.landed(tenant, upTo)) {
    const id = position.toString();
    const inLog = expected.get(position);
    expected.delete(position);
    if (inLog === undefined) differences.push({ where, id, kind: 'unexpected' });
    else if (inLog !== digest) differences.push({ where, id, kind: 'different' });
  }
  for (const position of expected.keys()) differences.push({ where, id: position.toString(), kind: 'missing' });
  return landing.size;
}

function compareRows<Row extends object>(
  where: string,
  expected: readonly Row[],
  found: readonly object[],
  key: keyof Row & string,
  differences: Difference[],
): number {
  const idOf = (row: object): string => String((row as Record<string, unknown>)[key]);
  const foundById = new Map(found.map((row) => [idOf(row), row]));
  for (const row of expected) {
    const id = idOf(row);
    const other = foundById.get(id);
    foundById.delete(id);
    if (!other) differences.push({ where, id, kind: 'missing' });
    else {
      const fields = differingFields(row, other);
      if (fields.length > 0) differences.push({ where, id, kind: 'different', fields });
    }
  }
  for (const id of foundById.keys()) differences.push({ where, id, kind: 'unexpected' });
  return expected.length;
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
