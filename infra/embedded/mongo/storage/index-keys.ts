import { CommandError } from '../errors';
import { encodeKey, fitKey, invert } from '../bson/key-encoding';
import { indexOfPart, type Path } from '../bson/paths';
import { BsonType, isDocument, type Fields, Opaque, type Value } from '../bson/values';

/** One field of an index: its path and direction. */
export interface IndexField {
  path: Path;
  direction: 1 | -1;
}

export interface IndexKeys {
  keys: Buffer[];
  /** The document has an array on an indexed path, so it may have several keys. */
  multikey: boolean;
  /** A key was too long for LMDB and keeps only its beginning and a hash. */
  truncated: boolean;
  /** None of the indexed fields exists. */
  allMissing: boolean;
}

/** An empty array is indexed and sorted as undefined, below null. */
export const EMPTY_ARRAY = new Opaque(BsonType.undefined, Buffer.alloc(0));

/**
 * The encoded keys under which a document stands in an index: the product of its values per field, where arrays contribute each
 * element. Fields below the same array vary together.
 * @throws CommandError CannotIndexParallelArrays (171) when two fields reach into different arrays.
 */
export function indexKeys(doc: Fields, fields: readonly IndexField[]): IndexKeys {
  if (fields.length === 1) return singleFieldKeys(doc, fields[0]!);
  const rows: (Value | undefined)[][] = [];
  const state = { multikey: false };
  expand(doc, fields, state, rows);
  const allMissing = rows.every((row) => row.every((value) => value === undefined));
  return finish(
    rows.map((row) => compoundKey(row, fields)),
    state.multikey,
    allMissing,
  );
}

function singleFieldKeys(doc: Fields, field: IndexField): IndexKeys {
  const { path, direction } = field;
  const value = path.length === 1 ? doc.get(path[0]!) : undefined;
  if (path.length === 1 && !Array.isArray(value)) {
    const key = encodeKey(value);
    return finish([direction === 1 ? key : invert(key)], false, value === undefined);
  }
  const rows: (Value | undefined)[][] = [];
  const state = { multikey: false };
  expand(doc, [field], state, rows);
  return finish(
    rows.map((row) => compoundKey(row, [field])),
    state.multikey,
    rows.every((row) => row[0] === undefined),
  );
}

function compoundKey(values: (Value | undefined)[], fields: readonly IndexField[]): Buffer {
  return Buffer.concat(
    fields.map(({ direction }, at) => (direction === 1 ? encodeKey(values[at]) : invert(encodeKey(values[at])))),
  );
}

function finish(encoded: Buffer[], multikey: boolean, allMissing: boolean): IndexKeys {
  if (encoded.length === 1) {
    const { key, truncated } = fitKey(encoded[0]!);
    return { keys: [key], multikey, truncated, allMissing };
  }
  const unique = new Map<string, Buffer>();
  let truncated = false;
  for (const one of encoded) {
    const fitted = fitKey(one);
    truncated ||= fitted.truncated;
    unique.set(fitted.key.toString('latin1'), fitted.key);
  }
  return { keys: [...unique.values()], multikey, truncated, allMissing };
}

/** A field's place while the document is walked: what is left of its path, and the value reached. */
interface Walk {
  value: Value | Fields | undefined;
  rest: Path;
  done: boolean;
}

function expand(
  doc: Fields,
  fields: readonly IndexField[],
  state: { multikey: boolean },
  rows: (Value | undefined)[][],
): void {
  const walks = fields.map(({ path }): Walk => ({ value: doc, rest: path, done: false }));
  expandWalks(walks, state, rows);
}

/** Advances every field to its end or to an array; then takes the one array apart and goes on with each element. */
function expandWalks(walks: Walk[], state: { multikey: boolean }, rows: (Value | undefined)[][]): void {
  const at = walks.map(advance);
  const inArray = at.filter(({ value, done }) => !done && Array.isArray(value));
  if (inArray.length === 0) {
    rows.push(at.map(({ value }) => value as Value | undefined));
    return;
  }
  const array = inArray[0]!.value as Value[];
  if (inArray.some(({ value }) => value !== array))
    throw new CommandError('CannotIndexParallelArrays', 'cannot index parallel arrays');
  state.multikey = true;
  const elements: (Value | undefined)[] = array.length === 0 ? [undefined] : array;
  for (const element of elements) {
    const next = at.map((walk): Walk => {
      if (walk.done || walk.value !== array) return walk;
      if (array.length === 0) return { value: walk.rest.length === 0 ? EMPTY_ARRAY : undefined, rest: [], done: true };
      if (walk.rest.length === 0) return { value: element, rest: [], done: true };
      const index = indexOfPart(walk.rest[0]!);
      if (
        index !== undefined &&
        index < array.length &&
        !array.some((item) => isDocument(item) && item.has(walk.rest[0]!))
      )
        return { value: array[index], rest: walk.rest.slice(1), done: walk.rest.length === 1 };
      return isDocument(element)
        ? { value: element, rest: walk.rest, done: false }
        : { value: undefined, rest: [], done: true };
    });
    expandWalks(next, state, rows);
  }
}

function advance(walk: Walk): Walk {
  let { value, rest } = walk;
  if (walk.done) return walk;
  while (rest.length > 0 && !Array.isArray(value)) {
    if (value === null || typeof value !== 'object' || !('get' in value))
      return { value: undefined, rest: [], done: true };
    value = value.get(rest[0]!);
    rest = rest.slice(1);
  }
  return { value, rest, done: !Array.isArray(value) };
}
