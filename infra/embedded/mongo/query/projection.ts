import { type RawDocument } from '../bson/read';
import { CommandError, notSupported } from '../errors';
import { type Expression, parseExpression, type Variables } from '../expressions/expressions';
import { toDouble, wholeNumber } from '../bson/numbers';
import { parseFilter, asOperators, parseValueConditions } from './filter-parser';
import { type Filter, matchedIndex, matches, matchesValue } from './matcher';
import { type Document, isDocument, isNumeric, isTruthy, type RawBson, type Value } from '../bson/values';

/** Turns a stored document into the one that is returned. */
export type Projection = (doc: RawDocument) => Document | RawBson;

type Leaf =
  | { kind: 'keep' }
  | { kind: 'drop' }
  | { kind: 'slice'; skip: number | undefined; count: number }
  | { kind: 'elemMatch'; test: (item: Value) => boolean }
  | { kind: 'positional' }
  | { kind: 'compute'; expression: Expression };

/** The projected paths as a tree. */
type Tree = Map<string, Leaf | Tree>;

const isTree = (node: Leaf | Tree | undefined): node is Tree => node instanceof Map;

export interface ParsedProjection {
  inclusive: boolean;
  tree: Tree;
  /** Undefined: kept when exclusive, and kept by default when inclusive. */
  id: boolean;
  computed: boolean;
}

/**
 * Reads a projection of `find`. Undefined when it keeps everything.
 * @throws CommandError with the server's location codes for mixed or colliding paths.
 */
export function parseProjection(
  specification: Document | undefined,
  filter?: Filter,
  variables: Variables = new Map(),
): Projection | undefined {
  if (!specification || specification.size === 0) return undefined;
  const parsed = parseTree(specification);
  return (doc) => project(doc.decode(), parsed, filter, variables);
}

/** Reads the projection of `find` or `$project` into a tree. */
export function parseTree(specification: Document): ParsedProjection {
  const tree: Tree = new Map();
  let inclusive: boolean | undefined;
  let id: boolean | undefined;
  let computed = false;
  const decide = (keeps: boolean, path: string): void => {
    if (inclusive !== undefined && inclusive !== keeps)
      throw new CommandError(
        keeps ? 31253 : 31254,
        `Cannot do ${keeps ? 'inclusion' : 'exclusion'} on field ${path} in ${keeps ? 'exclusion' : 'inclusion'} projection`,
      );
    inclusive = keeps;
  };
  const visit = (path: string, value: Value): void => {
    if (path === '_id' && (isNumeric(value) || typeof value === 'boolean')) {
      id = isTruthy(value);
      return;
    }
    if (isDocument(value) && !asOperators(value)) {
      if (value.size === 0) throw new CommandError(51270, 'An empty sub-projection is not a valid value');
      for (const [name, inner] of value) visit(`${path}.${name}`, inner);
      return;
    }
    const leaf = parseLeaf(path, value);
    if (leaf.kind === 'keep' || leaf.kind === 'positional') decide(true, path);
    else if (leaf.kind === 'drop') decide(false, path);
    else if (leaf.kind === 'compute') {
      decide(true, path);
      computed = true;
    }
    place(tree, leaf.kind === 'positional' ? path.slice(0, -2) : path, leaf);
  };
  for (const [path, value] of specification) visit(path, value);
  const onlyId = tree.size === 0;
  const hasElemMatch = [...tree.values()].some((node) => !isTree(node) && node.kind === 'elemMatch');
  const inclusion = inclusive ?? (onlyId ? id === true : hasElemMatch);
  return { inclusive: inclusion, tree, id: id ?? true, computed };
}

function parseLeaf(path: string, value: Value): Leaf {
  if (path.endsWith('.$')) return { kind: 'positional' };
  if (path === '' || path.split('.').includes(''))
    throw new CommandError(40353, "FieldPath must not be empty or end with a '.'.");
  if (isNumeric(value)) return { kind: toDouble(value) !== 0 ? 'keep' : 'drop' };
  if (typeof value === 'boolean') return { kind: value ? 'keep' : 'drop' };
  if (isDocument(value)) {
    const [operator, operand] = value.entries().next().value!;
    if (operator === '$slice' && (isNumeric(operand) || isSlicePair(operand))) return sliceLeaf(operand);
    if (operator === '$elemMatch') return elemMatchLeaf(operand);
    if (operator === '$meta') throw notSupported("the projection operator '$meta'");
  }
  return { kind: 'compute', expression: computed(value) };
}

/** The server reports an unknown operator in a projection with a code of its own. */
function computed(value: Value): Expression {
  try {
    return parseExpression(value);
  } catch (error) {
    if (error instanceof CommandError && error.code === 168) throw new CommandError(31325, error.message);
    throw error;
  }
}

const isSlicePair = (operand: Value): operand is Value[] =>
  Array.isArray(operand) && operand.length === 2 && operand.every(isNumeric);

function sliceLeaf(operand: Value): Leaf {
  if (!Array.isArray(operand)) return { kind: 'slice', skip: undefined, count: wholeNumber(operand) ?? 0 };
  const count = wholeNumber(operand[1]) ?? 0;
  if (count <= 0) throw new CommandError(28724, 'The count of $slice must be positive');
  return { kind: 'slice', skip: wholeNumber(operand[0]) ?? 0, count };
}

function elemMatchLeaf(operand: Value): Leaf {
  if (!isDocument(operand)) throw new CommandError('BadValue', 'elemMatch: Invalid argument, object required');
  if (asOperators(operand)) {
    const filter = parseValueConditions(operand);
    return { kind: 'elemMatch', test: (item) => matchesValue(filter, item) };
  }
  const filter = parseFilter(operand);
  return { kind: 'elemMatch', test: (item) => isDocument(item) && matches(filter, item) };
}

function place(tree: Tree, path: string, leaf: Leaf): void {
  const parts = path.split('.');
  let node = tree;
  for (const part of parts.slice(0, -1)) {
    const next = node.get(part) ?? new Map<string, Leaf | Tree>();
    if (!isTree(next)) throw new CommandError(31249, `Path collision at ${path}`);
    node.set(part, next);
    node = next;
  }
  const last = parts.at(-1)!;
  if (isTree(node.get(last))) throw new CommandError(31249, `Path collision at ${path}`);
  node.set(last, leaf);
}

/** Applies a parsed projection to a decoded document. */
export function project(
  doc: Document,
  parsed: ParsedProjection,
  filter?: Filter,
  variables: Variables = new Map(),
): Document {
  const context: Context = { root: doc, filter, variables };
  const result: Document = new Map();
  const id = doc.get('_id');
  const idNode = parsed.tree.get('_id');
  if (parsed.id && id !== undefined && !idNode && parsed.inclusive) result.set('_id', id);
  const shaped = parsed.inclusive ? include(doc, parsed.tree, '', context) : exclude(doc, parsed.tree, '', context);
  for (const [name, value] of shaped) if (name !== '_id' || parsed.id) result.set(name, value);
  return result;
}

interface Context {
  root: Document;
  filter: Filter | undefined;
  variables: Variables;
}

function include(doc: Document, tree: Tree, path: string, context: Context): Document {
  const result: Document = new Map();
  for (const [name, value] of doc) {
    const node = tree.get(name);
    if (!node) continue;
    const kept = isTree(node)
      ? includeValue(value, node, `${path}${name}.`, context)
      : leafValue(value, node, `${path}${name}`, context);
    if (kept !== undefined) result.set(name, kept);
  }
  for (const [name, node] of tree) {
    if (isTree(node)) {
      if (!doc.has(name) && hasComputed(node)) result.set(name, include(new Map(), node, `${path}${name}.`, context));
    } else if (node.kind === 'compute') {
      const value = node.expression(context.root, context.variables);
      result.delete(name);
      if (value !== undefined) result.set(name, value);
    }
  }
  return result;
}

const hasComputed = (tree: Tree): boolean =>
  [...tree.values()].some((node) => (isTree(node) ? hasComputed(node) : node.kind === 'compute'));

function includeValue(value: Value, tree: Tree, path: string, context: Context): Value | undefined {
  if (isDocument(value)) return include(value, tree, path, context);
  if (Array.isArray(value))
    return value.map((item) => includeValue(item, tree, path, context)).filter((item) => item !== undefined);
  return hasComputed(tree) ? include(new Map(), tree, path, context) : undefined;
}

function exclude(doc: Document, tree: Tree, path: string, context: Context): Document {
  const result: Document = new Map();
  for (const [name, value] of doc) {
    const node = tree.get(name);
    if (!node) result.set(name, value);
    else if (isTree(node)) result.set(name, excludeValue(value, node, `${path}${name}.`, context));
    else if (node.kind !== 'drop') {
      const kept = leafValue(value, node, `${path}${name}`, context);
      if (kept !== undefined) result.set(name, kept);
    }
  }
  return result;
}

function excludeValue(value: Value, tree: Tree, path: string, context: Context): Value {
  if (isDocument(value)) return exclude(value, tree, path, context);
  return Array.isArray(value) ? value.map((item) => excludeValue(item, tree, path, context)) : value;
}

function leafValue(value: Value, leaf: Leaf, path: string, context: Context): Value | undefined {
  switch (leaf.kind) {
    case 'keep':
      return value;
    case 'drop':
    case 'compute':
      return undefined;
    case 'slice':
      return Array.isArray(value) ? sliced(value, leaf.skip, leaf.count) : value;
    case 'elemMatch': {
      if (!Array.isArray(value)) return undefined;
      const found = value.find(leaf.test);
      return found === undefined ? undefined : [found];
    }
    case 'positional': {
      const at = context.filter && matchedIndex(context.filter, context.root, path);
      if (!Array.isArray(value)) return value;
      if (at === undefined)
        throw new CommandError(
          51246,
          "Executor error during find command :: the positional operator '$' needs a query on the array",
        );
      return [value[at]!];
    }
  }
}

/** `$slice` of an array: the first or, negative, the last `count`; or `count` from `skip`, which may count from the end. */
function sliced(items: Value[], skip: number | undefined, count: number): Value[] {
  if (skip === undefined) return count >= 0 ? items.slice(0, count) : items.slice(count);
  const start = skip >= 0 ? skip : Math.max(0, items.length + skip);
  return items.slice(start, start + count);
}
