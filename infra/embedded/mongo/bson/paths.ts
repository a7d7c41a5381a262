import { isDocument, type Fields, type Value } from './values';

/** A dotted path in its parts. */
export type Path = readonly string[];

export function splitPath(path: string): string[] {
  return path.includes('.') ? path.split('.') : [path];
}

const isIndex = (part: string): boolean => /^(0|[1-9]\d*)$/.test(part);

/** The array index that a path part stands for, or undefined. */
export function indexOfPart(part: string): number | undefined {
  return isIndex(part) ? Number(part) : undefined;
}

/** Whether an array at the end of a path is also looked into (`each`) or only taken as a whole. */
export type LeafArrays = 'each' | 'whole';

/**
 * Calls `test` with every value that `path` reaches in `root`, through arrays on the way as MongoDB does, and returns whether
 * one passed. A missing field is passed as undefined; an array on the way that holds no documents yields nothing.
 */
export function someValue(
  root: Fields,
  path: Path,
  leaf: LeafArrays,
  test: (value: Value | undefined) => boolean,
  from = 0,
): boolean {
  const value = root.get(path[from]!);
  if (from === path.length - 1) return someLeaf(value, leaf, test);
  if (isDocument(value)) return someValue(value, path, leaf, test, from + 1);
  if (Array.isArray(value)) return someInArray(value, path, leaf, test, from + 1);
  return test(undefined);
}

function someLeaf(value: Value | undefined, leaf: LeafArrays, test: (value: Value | undefined) => boolean): boolean {
  if (leaf === 'each' && Array.isArray(value)) for (const item of value) if (test(item)) return true;
  return test(value);
}

function someInArray(
  items: Value[],
  path: Path,
  leaf: LeafArrays,
  test: (value: Value | undefined) => boolean,
  from: number,
): boolean {
  const index = indexOfPart(path[from]!);
  if (index !== undefined && index < items.length) {
    const item = items[index]!;
    // An element addressed by its index is not looked into, even when it is an array itself.
    if (from === path.length - 1) {
      if (test(item)) return true;
    } else if (isDocument(item)) {
      if (someValue(item, path, leaf, test, from + 1)) return true;
    } else if (Array.isArray(item) && someInArray(item, path, leaf, test, from + 1)) return true;
  }
  for (const item of items) {
    if (!isDocument(item) || (index !== undefined && !item.has(path[from]!))) continue;
    if (someValue(item, path, leaf, test, from)) return true;
  }
  return false;
}

/** The value at a path that does not look into arrays except by index, or undefined. */
export function valueAt(root: Fields, path: Path): Value | undefined {
  let value: Value | undefined = root.get(path[0]!);
  for (let at = 1; at < path.length && value !== undefined; at++) {
    if (isDocument(value)) value = value.get(path[at]!);
    else if (Array.isArray(value)) value = isIndex(path[at]!) ? value[Number(path[at])] : undefined;
    else return undefined;
  }
  return value;
}
