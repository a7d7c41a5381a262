import { readDocument } from '../bson/read';
import { writeDocument } from '../bson/write';
import { type AccumulatorDefinition, parseAccumulator } from './accumulators';
import { asOperators, parseFilter } from '../query/filter-parser';
import { compileFilter } from '../query/matcher';
import { CommandError } from '../errors';
import { type Expression, parseExpression, type Variables } from '../expressions/expressions';
import { encodeKey } from '../bson/key-encoding';
import { wholeNumber } from '../bson/numbers';
import { splitPath } from '../bson/paths';
import { parseSort } from '../query/planner';
import { parseTree, project } from '../query/projection';
import { sortKey } from '../query/query';
import { unsetAt } from '../update/update-paths';
import { document, type Document, isDocument, isTruthy, type Value } from '../bson/values';

/** One step of a pipeline: documents in, documents out, lazily where it can. */
export type Stage = (input: Iterable<Document>) => Iterable<Document>;

const MAX_STAGE_BYTES = 100 * 1024 * 1024;

/** Counts what a blocking stage holds. @throws CommandError 292 beyond 100 MiB, since nothing is spilled to disk. */
export class StageMemory {
  private bytes = 0;

  constructor(private readonly stage: string) {}

  add(bytes: number): void {
    this.bytes += bytes;
    if (this.bytes > MAX_STAGE_BYTES)
      throw new CommandError(
        'QueryExceededMemoryLimitNoDiskUseAllowed',
        `${this.stage} exceeded the memory limit of ${MAX_STAGE_BYTES} bytes; this engine does not use the disk for it`,
      );
  }
}

export function match(operand: Value, variables: Variables): Stage {
  if (!isDocument(operand)) throw new CommandError(15959, 'the match filter must be an expression in an object');
  const passes = compileFilter(parseFilter(operand, variables));
  return function* (input) {
    for (const doc of input) if (passes(doc)) yield doc;
  };
}

export function projectStage(operand: Value, variables: Variables): Stage {
  if (!isDocument(operand) || operand.size === 0)
    throw new CommandError(51272, '$project specification must have at least one field');
  const parsed = parseTree(operand);
  return mapping((doc) => project(doc, parsed, undefined, variables));
}

function mapping(apply: (doc: Document) => Document): Stage {
  return function* (input) {
    for (const doc of input) yield apply(doc);
  };
}

/** Fields to compute, as a tree, so that `a.b` reaches into every document of an array `a`. */
type Assignments = Map<string, Expression | Assignments>;

export function addFields(operand: Value, variables: Variables): Stage {
  if (!isDocument(operand)) throw new CommandError(40272, '$addFields specification stage must be an object');
  const tree = assignments(operand);
  return mapping((doc) => assign(doc, tree, doc, variables));
}

function assignments(specification: Document, tree: Assignments = new Map()): Assignments {
  for (const [path, value] of specification) {
    let node = tree;
    const parts = splitPath(path);
    if (parts.some((part) => part === '' || part.startsWith('$')))
      throw new CommandError(16410, `FieldPath field names may not be empty or start with '$': '${path}'`);
    for (const part of parts.slice(0, -1)) node = subtree(node, part);
    const last = parts.at(-1)!;
    if (isDocument(value) && value.size > 0 && !asOperators(value)) assignments(value, subtree(node, last));
    else node.set(last, parseExpression(value));
  }
  return tree;
}

function subtree(node: Assignments, part: string): Assignments {
  const existing = node.get(part);
  const next = existing instanceof Map ? existing : new Map<string, Expression | Assignments>();
  node.set(part, next);
  return next;
}

function assign(doc: Document, tree: Assignments, root: Document, variables: Variables): Document {
  const result = new Map(doc);
  for (const [name, node] of tree) {
    if (node instanceof Map) {
      result.set(name, assignInside(doc.get(name), node, root, variables));
      continue;
    }
    const value = node(root, variables);
    if (value === undefined) result.delete(name);
    else result.set(name, value);
  }
  return result;
}

function assignInside(value: Value | undefined, tree: Assignments, root: Document, variables: Variables): Value {
  if (Array.isArray(value)) return value.map((item) => assignInside(item, tree, root, variables));
  return assign(isDocument(value) ? value : new Map<string, Value>(), tree, root, variables);
}

export function unset(operand: Value): Stage {
  const names = Array.isArray(operand) ? operand : [operand];
  if (names.length === 0 || !names.every((name) => typeof name === 'string'))
    throw new CommandError(31120, '$unset specification must be a string or an array of strings');
  const parsed = parseTree(document(Object.fromEntries(names.map((name) => [name, 0]))));
  return mapping((doc) => project(doc, parsed));
}

export function sort(operand: Value): Stage {
  if (!isDocument(operand) || operand.size === 0)
    throw new CommandError(15976, '$sort stage must have at least one sort key');
  const fields = parseSort(operand);
  return function* (input) {
    const memory = new StageMemory('$sort');
    const rows: { key: Buffer; bytes: Buffer }[] = [];
    for (const doc of input) {
      const row = { key: sortKey(doc, fields), bytes: writeDocument(doc) };
      memory.add(row.key.length + row.bytes.length + 64);
      rows.push(row);
    }
    rows.sort((a, b) => Buffer.compare(a.key, b.key));
    for (const { bytes } of rows) yield readDocument(bytes);
  };
}

function count(operand: Value, stage: string, least: number): number {
  const number = wholeNumber(operand);
  if (number === undefined || number < least)
    throw new CommandError(15958, `${stage} takes a whole number from ${least}`);
  return number;
}

export function limit(operand: Value): Stage {
  const most = count(operand, '$limit', 1);
  return function* (input) {
    let left = most;
    for (const doc of input) {
      yield doc;
      if (--left === 0) return;
    }
  };
}

export function skip(operand: Value): Stage {
  const first = count(operand, '$skip', 0);
  return function* (input) {
    let left = first;
    for (const doc of input) if (left-- <= 0) yield doc;
  };
}

export function countStage(operand: Value): Stage {
  if (typeof operand !== 'string' || operand === '' || operand.startsWith('$') || operand.includes('.'))
    throw new CommandError(40156, 'the count field must be a non-empty string without $ and .');
  return function* (input) {
    let total = 0;
    for (const _doc of input) total++;
    if (total > 0) yield document({ [operand]: total });
  };
}

export function group(operand: Value, variables: Variables): Stage {
  if (!isDocument(operand)) throw new CommandError(15947, "a group's fields must be specified in an object");
  const idValue = operand.get('_id');
  if (idValue === undefined) throw new CommandError(15955, 'a group specification must include an _id');
  const id = parseExpression(idValue);
  const fields = [...operand].filter(([name]) => name !== '_id').map(([name, value]) => parseAccumulator(name, value));
  return function* (input) {
    yield* grouped(input, id, fields, variables);
  };
}

function* grouped(
  input: Iterable<Document>,
  id: Expression,
  fields: AccumulatorDefinition[],
  variables: Variables,
): Generator<Document> {
  const memory = new StageMemory('$group');
  const groups = new Map<string, { id: Value; accumulators: ReturnType<AccumulatorDefinition['create']>[] }>();
  for (const doc of input) {
    const value = id(doc, variables) ?? null;
    const key = encodeKey(value).toString('latin1');
    let entry = groups.get(key);
    if (!entry) {
      entry = { id: value, accumulators: fields.map((field) => field.create()) };
      groups.set(key, entry);
      memory.add(key.length + 100 * (fields.length + 1));
    }
    for (const [at, field] of fields.entries()) {
      const fed = field.input(doc, variables);
      entry.accumulators[at]!.add(fed);
      // Only strings, arrays and documents can make a group large; numbers are counted with it.
      if (typeof fed === 'object' || typeof fed === 'string') memory.add(32);
    }
  }
  for (const { id: value, accumulators } of groups.values()) {
    const doc: Document = new Map([['_id', value]]);
    fields.forEach((field, at) => doc.set(field.name, accumulators[at]!.result()));
    yield doc;
  }
}

export function sortByCount(operand: Value, variables: Variables): Stage {
  const groups = group(document({ _id: operand, count: document({ $sum: 1 }) }), variables);
  const order = sort(document({ count: -1 }));
  return (input) => order(groups(input));
}

export function unwind(operand: Value): Stage {
  const options = isDocument(operand) ? operand : document({ path: operand });
  const path = options.get('path');
  if (typeof path !== 'string' || !path.startsWith('$'))
    throw new CommandError(28818, "path option to $unwind stage should be prefixed with a '$'");
  for (const name of options.keys())
    if (!['path', 'includeArrayIndex', 'preserveNullAndEmptyArrays'].includes(name))
      throw new CommandError(28811, `unrecognized option to $unwind stage: ${name}`);
  const parts = splitPath(path.slice(1));
  const indexField = options.get('includeArrayIndex');
  const keep = isTruthy(options.get('preserveNullAndEmptyArrays'));
  return function* (input) {
    for (const doc of input) {
      const value = at(doc, parts);
      const items: (Value | undefined)[] = Array.isArray(value)
        ? value
        : value === undefined || value === null
          ? []
          : [value];
      const index = (position: number): Value => (Array.isArray(value) ? BigInt(position) : null);
      if (items.length === 0 && keep)
        yield unwound(doc, parts, Array.isArray(value) ? undefined : value, indexField, null);
      for (const [position, item] of items.entries()) yield unwound(doc, parts, item, indexField, index(position));
    }
  };
}

function at(doc: Document, parts: readonly string[]): Value | undefined {
  let value: Value | undefined = doc;
  for (const part of parts) value = isDocument(value) ? value.get(part) : undefined;
  return value;
}

/** A copy of the document along the path, with another value at its end. */
function unwound(
  doc: Document,
  parts: readonly string[],
  item: Value | undefined,
  indexField: Value | undefined,
  index: Value,
): Document {
  const [first, ...rest] = parts;
  const result = new Map(doc);
  const inner = result.get(first!);
  if (rest.length > 0 && isDocument(inner)) result.set(first!, unwound(inner, rest, item, undefined, null));
  else if (item === undefined) unsetAt(result, [first!]);
  else result.set(first!, item);
  if (typeof indexField === 'string') result.set(indexField, index);
  return result;
}

export function replaceRoot(operand: Value, variables: Variables): Stage {
  const expression = parseExpression(operand);
  return mapping((doc) => {
    const root = expression(doc, variables);
    if (!isDocument(root)) throw new CommandError(40228, "'newRoot' expression must evaluate to an object");
    return root;
  });
}

export function sample(operand: Value): Stage {
  const size = count(isDocument(operand) ? (operand.get('size') ?? null) : null, '$sample', 1);
  return function* (input) {
    const kept: Document[] = [];
    let seen = 0;
    for (const doc of input) {
      seen++;
      if (kept.length < size) kept.push(doc);
      else {
        const place = Math.floor(Math.random() * seen);
        if (place < size) kept[place] = doc;
      }
    }
    yield* kept;
  };
}
