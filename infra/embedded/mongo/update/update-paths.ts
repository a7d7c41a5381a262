import { CommandError } from '../errors';
import { indexOfPart, type Path } from '../bson/paths';
import { shown } from '../bson/shown';
import { type Document, isDocument, type Value } from '../bson/values';

/** The server's limit on filling up an array to reach an index. */
const MAX_PADDING = 1_500_000;

/** What the update language walks: the document itself or anything inside it. */
export interface Root {
  get(name: string): Value | undefined;
  set(name: string, value: Value): unknown;
  delete(name: string): unknown;
}

/** The value at a path of an update, which goes into arrays by index only. */
export function getAt(root: Root, path: Path): Value | undefined {
  let value = root.get(path[0]!);
  for (let at = 1; at < path.length; at++) {
    const part = path[at]!;
    if (isDocument(value)) value = value.get(part);
    else if (Array.isArray(value)) value = value[indexOfPart(part) ?? -1];
    else return undefined;
  }
  return value;
}

/**
 * Puts a value at a path and creates the documents on the way.
 * @throws CommandError PathNotViable (28) when something on the way is neither a document nor an array with that index.
 */
export function setAt(root: Root, path: Path, value: Value): void {
  let parent: Root | Value[] = root;
  for (let at = 0; at < path.length - 1; at++) parent = step(parent, path, at);
  const last = path.at(-1)!;
  if (Array.isArray(parent)) put(parent, indexFor(parent, path, path.length - 1), value);
  else parent.set(last, value);
}

function step(parent: Root | Value[], path: Path, at: number): Root | Value[] {
  const part = path[at]!;
  const existing = Array.isArray(parent) ? parent[indexFor(parent, path, at)] : parent.get(part);
  if (isDocument(existing) || Array.isArray(existing)) return existing;
  if (existing !== undefined) throw notViable(path[at + 1]!, part, existing);
  const created: Document = new Map();
  if (Array.isArray(parent)) put(parent, indexFor(parent, path, at), created);
  else parent.set(part, created);
  return created;
}

function indexFor(parent: Value[], path: Path, at: number): number {
  const index = indexOfPart(path[at]!);
  if (index === undefined) throw notViable(path[at]!, path[at - 1] ?? '', parent);
  return index;
}

function put(items: Value[], index: number, value: Value): void {
  if (index - items.length > MAX_PADDING)
    throw new CommandError(2, `can't backfill array to larger than ${MAX_PADDING} elements`);
  while (items.length < index) items.push(null);
  items[index] = value;
}

function notViable(field: string, name: string, value: Value): CommandError {
  return new CommandError('PathNotViable', `Cannot create field '${field}' in element {${name}: ${shown(value)}}`);
}

/** Removes what is at a path; an array element becomes null, so that the others keep their indexes. */
export function unsetAt(root: Root, path: Path): void {
  const last = path.at(-1)!;
  if (path.length === 1) {
    root.delete(last);
    return;
  }
  const parent = getAt(root, path.slice(0, -1));
  if (isDocument(parent)) parent.delete(last);
  else if (Array.isArray(parent)) {
    const index = indexOfPart(last);
    if (index !== undefined && index < parent.length) parent[index] = null;
  }
}

/** Chooses the elements that an identifier of `arrayFilters` stands for. */
export type ElementFilters = ReadonlyMap<string, (item: Value) => boolean>;

/**
 * The concrete paths that a path with `$`, `$[]` or `$[id]` stands for in this document.
 * @throws CommandError BadValue (2) when a positional part has no array to work on.
 */
export function expandPath(
  root: Root,
  path: Path,
  filters: ElementFilters,
  positionOf: (arrayPath: string) => number | undefined,
): Path[] {
  const at = path.findIndex((part) => part.startsWith('$'));
  if (at < 0) return [path];
  if (at === 0)
    throw new CommandError(
      'BadValue',
      `Cannot have positional (i.e. '$') element in the first position in path '${path.join('.')}'`,
    );
  const before = path.slice(0, at);
  const rest = path.slice(at + 1);
  const part = path[at]!;
  const continueAt = (index: number): Path[] =>
    expandPath(root, [...before, String(index), ...rest], filters, positionOf);
  if (part === '$') {
    const index = positionOf(before.join('.'));
    if (index === undefined)
      throw new CommandError('BadValue', 'The positional operator did not find the match needed from the query.');
    return continueAt(index);
  }
  const identifier = /^\$\[(.*)\]$/.exec(part)?.[1];
  if (identifier === undefined)
    throw new CommandError(
      'DollarPrefixedFieldName',
      `The dollar ($) prefixed field '${part}' in '${path.join('.')}' is not valid for storage.`,
    );
  const test = identifier === '' ? () => true : filters.get(identifier);
  if (!test)
    throw new CommandError(
      'BadValue',
      `No array filter found for identifier '${identifier}' in path '${path.join('.')}'`,
    );
  const array = getAt(root, before);
  if (!Array.isArray(array))
    throw new CommandError(
      'BadValue',
      `The path '${before.join('.')}' must exist in the document in order to apply array updates.`,
    );
  return array.flatMap((item, index) => (test(item) ? continueAt(index) : []));
}
