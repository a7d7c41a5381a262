import { isDeepStrictEqual } from 'node:util';

type Row = Readonly<Record<string, unknown>>;

/** One cell of a report that says something else than it did, or one row that came or went, which has no column. */
export interface RowDifference {
  /** The columns that tell the rows apart. */
  readonly row: Row;
  readonly column: string | null;
  readonly from: unknown;
  readonly to: unknown;
}

/** How the rows of a report differ from those of the same report, in the order of the rows. */
export function rowDifferences(from: readonly object[], to: readonly object[]): RowDifference[] {
  const [before, after] = [from, to] as [readonly Row[], readonly Row[]];
  const keys = keyColumns(before, after);
  const keyOf = (row: Row): string => JSON.stringify(keys.map((column) => row[column]));
  const shown = (row: Row): Row => Object.fromEntries(keys.map((column) => [column, row[column]]));
  const left = new Map(after.map((row) => [keyOf(row), row]));
  const differences: RowDifference[] = [];
  for (const row of before) {
    const other = left.get(keyOf(row));
    left.delete(keyOf(row));
    if (!other) differences.push({ row: shown(row), column: null, from: row, to: null });
    else {
      const columns = Object.keys(row).filter((column) => !isSame(row[column], other[column]));
      for (const column of columns) {
        differences.push({ row: shown(row), column, from: row[column], to: other[column] });
      }
    }
  }
  for (const row of left.values()) differences.push({ row: shown(row), column: null, from: null, to: row });
  return differences;
}

/** The first columns that together tell every row from the others; all of them when none do. */
function keyColumns(...tables: readonly (readonly Row[])[]): readonly string[] {
  const columns = Object.keys(tables.flat()[0] ?? {});
  for (let count = 1; count <= columns.length; count++) {
    const keys = columns.slice(0, count);
    const isUnique = tables.every(
      (rows) => new Set(rows.map((row) => JSON.stringify(keys.map((column) => row[column])))).size === rows.length,
    );
    if (isUnique) return keys;
  }
  return columns;
}

/** As the digest has it: ClickHouse adds up in whatever order its parts lie, which shows in the last digits of a mean. */
function isSame(a: unknown, b: unknown): boolean {
  if (typeof a === 'number' && typeof b === 'number') return a.toPrecision(10) === b.toPrecision(10);
  return isDeepStrictEqual(a, b);
}
