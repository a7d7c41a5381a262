import { RawDocument } from '../bson/read';
import { BsonWriter } from '../bson/write';
import { CommandError } from '../errors';
import { parseFilter } from '../query/filter-parser';
import { equalityValues, type Filter, matchedIndex, matches } from '../query/matcher';
import { splitPath, type Path } from '../bson/paths';
import { runUpdatePipeline } from './pipeline';
import { type Change, updateOperators } from './operators';
import { type ElementFilters, expandPath, getAt, type Root, setAt, unsetAt } from './update-paths';
import { bytesEqualField, EditableDocument } from './editable-document';
import { type Variables } from '../expressions/expressions';
import { type Document, isDocument, type Value } from '../bson/values';

/** One parsed update: a whole new document, operators, or a pipeline. */
export type Update =
  | { kind: 'replacement'; doc: RawDocument }
  | { kind: 'operators'; changes: PlannedChange[]; filters: ElementFilters }
  | { kind: 'pipeline'; stages: Value[]; variables: Variables };

interface PlannedChange {
  path: Path;
  name: string;
  onlyOnInsert: boolean;
  change: Change;
}

/**
 * Reads the update part of a statement.
 * @throws CommandError FailedToParse (9) for unknown operators, ConflictingUpdateOperators (40), BadValue (2).
 */
export function parseUpdate(
  update: RawDocument | Value[],
  arrayFilters: Document[],
  variables: Variables = new Map(),
): Update {
  if (Array.isArray(update)) {
    if (arrayFilters.length > 0)
      throw new CommandError('FailedToParse', 'arrayFilters may not be specified for pipeline-style updates');
    return { kind: 'pipeline', stages: update, variables };
  }
  const first = update.firstName();
  if (first === undefined || !first.startsWith('$')) {
    if (arrayFilters.length > 0)
      throw new CommandError('FailedToParse', 'arrayFilters may not be specified for replacement-style updates');
    return { kind: 'replacement', doc: update };
  }
  const changes = plannedChanges(update.decode());
  return { kind: 'operators', changes, filters: parseArrayFilters(arrayFilters, changes) };
}

/** In the order of their paths, as the server creates new fields. */
function plannedChanges(update: Document): PlannedChange[] {
  const changes: PlannedChange[] = [];
  for (const [operator, fields] of update) {
    const parser = updateOperators.get(operator);
    if (!parser)
      throw new CommandError(
        'FailedToParse',
        `Unknown modifier: ${operator}. Expected a valid update modifier or pipeline-style update specified as an array`,
      );
    if (!isDocument(fields))
      throw new CommandError('FailedToParse', `Modifiers operate on fields but we found another type for ${operator}`);
    for (const [name, operand] of fields) {
      checkPath(name);
      for (const change of parser(name, operand))
        changes.push({
          path: splitPath(change.path),
          name: change.path,
          onlyOnInsert: operator === '$setOnInsert',
          change: change.apply,
        });
    }
  }
  changes.sort((a, b) => comparePaths(a.path, b.path));
  for (let at = 1; at < changes.length; at++) {
    const [previous, current] = [changes[at - 1]!, changes[at]!];
    if (previous.path.every((part, index) => current.path[index] === part))
      throw new CommandError(
        'ConflictingUpdateOperators',
        `Updating the path '${current.name}' would create a conflict at '${previous.name}'`,
      );
  }
  return changes;
}

function checkPath(name: string): void {
  if (name === '' || name.split('.').includes(''))
    throw new CommandError(
      56,
      name === ''
        ? 'An empty update path is not valid.'
        : `The update path '${name}' contains an empty field name, which is not allowed.`,
    );
}

function comparePaths(a: Path, b: Path): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [x, y] = [a[at]!, b[at]!];
    if (x === y) continue;
    const [m, n] = [Number(x), Number(y)];
    return Number.isInteger(m) && Number.isInteger(n) ? m - n : x < y ? -1 : 1;
  }
  return a.length - b.length;
}

function parseArrayFilters(arrayFilters: Document[], changes: PlannedChange[]): ElementFilters {
  const filters = new Map<string, (item: Value) => boolean>();
  for (const specification of arrayFilters) {
    const identifier = identifierOf(specification);
    if (filters.has(identifier))
      throw new CommandError(
        'FailedToParse',
        `Found multiple array filters with the same top-level field name ${identifier}`,
      );
    if (!changes.some(({ path }) => path.includes(`$[${identifier}]`)))
      throw new CommandError(
        'FailedToParse',
        `The array filter for identifier '${identifier}' was not used in the update`,
      );
    const filter = parseFilter(specification);
    filters.set(identifier, (item) => matches(filter, new Map([[identifier, item]])));
  }
  return filters;
}

function identifierOf(specification: Document): string {
  const names = new Set<string>();
  const collect = (query: Document): void => {
    for (const [name, value] of query)
      if (!name.startsWith('$')) names.add(splitPath(name)[0]!);
      else if (Array.isArray(value)) value.filter(isDocument).forEach(collect);
  };
  collect(specification);
  const [identifier, another] = names;
  if (identifier === undefined || another !== undefined)
    throw new CommandError('FailedToParse', 'Each array filter must use exactly one top-level field name');
  return identifier;
}

/**
 * Applies an update to a stored document and returns the new one; equal bytes mean that nothing changed.
 * @throws CommandError ImmutableField (66) when the `_id` would change, and what operators throw.
 */
export function applyUpdate(update: Update, before: RawDocument, filter: Filter, inserting = false): RawDocument {
  switch (update.kind) {
    case 'replacement':
      return replacement(update.doc, before);
    case 'pipeline':
      return checkedId(before, runUpdatePipeline(update.stages, before.decode(), update.variables));
    case 'operators': {
      const doc = new EditableDocument(before);
      applyChanges(update.changes, doc, update.filters, inserting, (arrayPath) =>
        matchedIndex(filter, before.decode(), arrayPath),
      );
      const after = doc.toRaw();
      return inserting ? after : checkedId(before, after);
    }
  }
}

function applyChanges(
  changes: PlannedChange[],
  root: Root,
  filters: ElementFilters,
  inserting: boolean,
  positionOf: (arrayPath: string) => number | undefined,
): void {
  for (const { path, onlyOnInsert, change } of changes) {
    if (onlyOnInsert && !inserting) continue;
    for (const concrete of expandPath(root, path, filters, positionOf)) {
      const result = change(getAt(root, concrete), { root, path: concrete });
      if (result === 'unset') unsetAt(root, concrete);
      else if (result !== 'keep') setAt(root, concrete, result.set);
    }
  }
}

/** The replacement with the old `_id` in front. */
function replacement(doc: RawDocument, before: RawDocument): RawDocument {
  const id = before.find('_id');
  const own = doc.find('_id');
  if (own && id && !bytesEqualField(doc, before, '_id')) throw immutableId();
  if (doc.firstName() === '_id' || !id) return new RawDocument(doc.slice());
  const writer = new BsonWriter(doc.length + id.end - id.valueAt + 16);
  const start = writer.begin();
  writer.header(id.type, '_id');
  writer.raw(before.bytes, id.valueAt, id.end);
  for (const element of doc.elements()) {
    if (element.name === '_id') continue;
    writer.header(element.type, element.name);
    writer.raw(doc.bytes, element.valueAt, element.end);
  }
  writer.finish(start);
  return new RawDocument(writer.take());
}

const immutableId = (): CommandError =>
  new CommandError('ImmutableField', "Performing an update on the path '_id' would modify the immutable field '_id'");

function checkedId(before: RawDocument, after: RawDocument): RawDocument {
  if (!bytesEqualField(before, after, '_id')) throw immutableId();
  return after;
}

/**
 * The document that an upsert inserts: the values that the query fixes, then the update over them.
 * @throws as `applyUpdate`, and CommandError 54 when the query fixes a path twice.
 */
export function upsertDocument(update: Update, filter: Filter): RawDocument {
  const seed: Document = new Map();
  const fixed = equalityValues(filter);
  if (update.kind === 'replacement') {
    if (fixed.has('_id')) seed.set('_id', fixed.get('_id')!);
  } else {
    for (const [path, value] of fixed) setAt(seed, splitPath(path), value);
  }
  const writer = new BsonWriter(256);
  writer.document(seed);
  const before = new RawDocument(writer.take());
  const after = applyUpdate(update, before, filter, true);
  return before.find('_id') ? checkedId(before, after) : after;
}
