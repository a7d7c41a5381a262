import { RawDocument, RawFields } from '../bson/read';
import { MAX_DOCUMENT_BYTES, storedForm, type Collection } from '../storage/collection';
import { CommandError } from '../errors';
import { parseFilter } from '../query/filter-parser';
import { type Filter } from '../query/matcher';
import { wholeNumber } from '../bson/numbers';
import { parseSort } from '../query/planner';
import { find, findFirst, type Found, type Query } from '../query/query';
import { applyUpdate, parseUpdate, type Update, upsertDocument } from '../update/update';
import { type Variables } from '../expressions/expressions';
import { document, type Document, isDocument, isTruthy, type Value } from '../bson/values';
import { type Call, checkCollation, checkFields, type CommandDefinition, hintOf } from './command';

/** The server's limit on the statements of one command. */
const MAX_STATEMENTS = 100_000;

/** What one update statement did. */
export interface UpdateResult {
  matched: number;
  modified: number;
  upsertedId: Value | undefined;
}

/** A parsed update statement, of `update`, `findAndModify` or `bulkWrite`. */
export interface UpdateStatement {
  filter: Filter;
  update: Update;
  upsert: boolean;
  multi: boolean;
  sort?: Document | undefined;
  hint?: Value | undefined;
}

/** Runs statements in order and collects their errors by index; an ordered command stops at the first one. */
export function runStatements<T>(
  statements: readonly T[],
  ordered: boolean,
  run: (statement: T, index: number) => void,
): Document[] {
  if (statements.length === 0 || statements.length > MAX_STATEMENTS)
    throw new CommandError(
      'InvalidLength',
      `Write batch sizes must be between 1 and ${MAX_STATEMENTS}. Got ${statements.length} operations.`,
    );
  const errors: Document[] = [];
  for (const [index, statement] of statements.entries()) {
    try {
      run(statement, index);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      errors.push(document({ index, code: error.code, errmsg: error.message, ...error.details }));
      if (ordered) break;
    }
  }
  return errors;
}

function writeReply(fields: Record<string, Value>, errors: Document[]): Document {
  const reply = document(fields);
  if (errors.length > 0) reply.set('writeErrors', errors);
  return reply.set('ok', 1);
}

/**
 * Inserts one document.
 * @throws as `Collection.insert` and `storedForm`.
 */
export function insertOne(call: Call, collection: Collection, doc: RawDocument): RawDocument {
  if (doc.length > MAX_DOCUMENT_BYTES)
    throw new CommandError(
      'BSONObjectTooLarge',
      `object to insert too large. size in bytes: ${doc.length}, max size: ${MAX_DOCUMENT_BYTES}`,
    );
  const stored = storedForm(doc);
  collection.insert(call.kv, stored);
  return stored;
}

/** The query that finds what a statement is about. */
export function targets(
  call: Call,
  collection: Collection,
  filter: Filter,
  options: { sort?: Document | undefined; hint?: Value | undefined },
): Query {
  return {
    filter,
    sort: parseSort(options.sort),
    skip: 0,
    limit: 0,
    hint: hintOf(collection, options.hint),
    deadline: call.deadline,
  };
}

/** Runs one update statement. @throws what update operators and indexes refuse. */
export function updateStatement(call: Call, namespace: string, statement: UpdateStatement): UpdateResult {
  const { filter, update, multi } = statement;
  if (multi && update.kind === 'replacement')
    throw new CommandError('FailedToParse', 'multi update is not supported for replacement-style update');
  const existing = call.catalog.get(namespace);
  const result: UpdateResult = { matched: 0, modified: 0, upsertedId: undefined };
  const change = (collection: Collection, { record, doc }: Found): void => {
    result.matched++;
    if (updateRecord(call, collection, record, doc, statement)) result.modified++;
  };
  if (existing) {
    const query = targets(call, existing, filter, statement);
    if (multi) for (const found of recordsOf(call, existing, query)) change(existing, found);
    else {
      const found = findFirst(call.kv, existing, query, true);
      if (found) change(existing, found);
    }
  }
  if (result.matched === 0 && statement.upsert) {
    const stored = insertOne(call, call.catalog.ensure(namespace), upsertDocument(update, filter));
    result.upsertedId = stored.get('_id');
  }
  return result;
}

/**
 * All documents of a query, found before anything is written: a write must not see its own changes. Only their record ids are
 * kept; each document is read again when its turn comes.
 */
function* recordsOf(call: Call, collection: Collection, query: Query): Generator<Found> {
  const records: number[] = [];
  for (const { record } of find(call.kv, collection, query)) records.push(record);
  for (const record of records) {
    const doc = collection.read(call.kv, record);
    if (doc) yield { record, doc };
  }
}

/** The new document, or undefined when nothing changed. */
export function updateRecord(
  call: Call,
  collection: Collection,
  record: number,
  doc: RawDocument,
  { update, filter }: UpdateStatement,
): RawDocument | undefined {
  call.deadline.check();
  const after = applyUpdate(update, doc, filter);
  if (after.sameAs(doc)) return undefined;
  collection.replace(call.kv, record, doc, after);
  return after;
}

const updateFieldSet = new Set([
  'q',
  'u',
  'c',
  'upsert',
  'multi',
  'arrayFilters',
  'hint',
  'collation',
  'sort',
  'upsertSupplied',
]);
const deleteFieldSet = new Set(['q', 'limit', 'hint', 'collation']);

/** The names under which a statement carries its parts: `update` and `bulkWrite` differ. */
interface PartNames {
  filter: string;
  update: string;
  constants: string;
}

const updateParts: PartNames = { filter: 'q', update: 'u', constants: 'c' };

/** Reads an update statement. @throws as `parseFilter` and `parseUpdate`. */
export function parseUpdateStatement(
  raw: RawFields,
  variables: Variables,
  parts: PartNames = updateParts,
): UpdateStatement {
  const multi = isTruthy(raw.get('multi'));
  const sort = raw.get('sort');
  if (multi && sort !== undefined) throw new CommandError('FailedToParse', 'Cannot specify sort with multi=true');
  return {
    filter: parseFilter(documentField(raw, parts.filter), variables),
    update: parseUpdate(
      updateField(raw, parts.update),
      filtersField(raw.get('arrayFilters')),
      withConstants(raw.get(parts.constants), variables),
    ),
    upsert: isTruthy(raw.get('upsert')),
    multi,
    sort: isDocument(sort) ? sort : undefined,
    hint: raw.get('hint'),
  };
}

function withConstants(constants: Value | undefined, variables: Variables): Variables {
  return isDocument(constants) ? new Map([...variables, ...constants]) : variables;
}

function documentField(raw: RawFields, name: string): Document {
  const value = raw.get(name);
  if (!isDocument(value)) throw new CommandError('TypeMismatch', `BSON field '${name}' must be an object`);
  return value;
}

/** The update itself: raw bytes for a document, decoded stages for a pipeline. */
export function updateField(raw: RawFields, name: string): RawDocument | Value[] {
  const element = raw.find(name);
  const value = element && (element.type === 3 ? new RawDocument(raw.document.bytes, element.valueAt) : raw.get(name));
  if (value instanceof RawDocument || Array.isArray(value)) return value;
  throw new CommandError('FailedToParse', `Update argument must be either an object or an array: '${name}'`);
}

export function filtersField(value: Value | undefined): Document[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || !value.every(isDocument))
    throw new CommandError('TypeMismatch', "BSON field 'arrayFilters' must be an array of objects");
  return value;
}

/** The statements of a command, when each has no other fields than those known. */
function statementsOf(call: Call, name: string, known: ReadonlySet<string>): RawFields[] {
  return call.documents(name).map((raw) => {
    const statement = new RawFields(raw);
    checkFields(`${call.name}.${name}`, statement.names(), known);
    checkCollation(statement.get('collation'));
    return statement;
  });
}

function insert(call: Call): Document {
  const namespace = call.namespace();
  const documents = call.documents('documents');
  const collection = call.catalog.ensure(namespace);
  let n = 0;
  const errors = runStatements(documents, call.flag('ordered', true), (doc) => {
    insertOne(call, collection, doc);
    n++;
  });
  return writeReply({ n }, errors);
}

function update(call: Call): Document {
  const namespace = call.namespace();
  const variables = call.variables();
  const statements = statementsOf(call, 'updates', updateFieldSet);
  let n = 0;
  let nModified = 0;
  const upserted: Document[] = [];
  const errors = runStatements(statements, call.flag('ordered', true), (raw, index) => {
    const result = updateStatement(call, namespace, parseUpdateStatement(raw, variables));
    n += result.matched;
    nModified += result.modified;
    if (result.upsertedId === undefined) return;
    n++;
    upserted.push(document({ index, _id: result.upsertedId }));
  });
  return writeReply({ n, nModified, ...(upserted.length > 0 && { upserted }) }, errors);
}

function remove(call: Call): Document {
  const collection = call.collection();
  const variables = call.variables();
  const statements = statementsOf(call, 'deletes', deleteFieldSet);
  let n = 0;
  const errors = runStatements(statements, call.flag('ordered', true), (raw) => {
    const limit = wholeNumber(raw.get('limit'));
    if (limit !== 0 && limit !== 1)
      throw new CommandError('FailedToParse', 'The limit field in delete objects must be 0 or 1');
    const filter = parseFilter(documentField(raw, 'q'), variables);
    if (collection) n += deleteMatching(call, collection, filter, limit === 0, raw.get('hint'));
  });
  return writeReply({ n }, errors);
}

/** Deletes one or all documents that a filter finds and returns how many. */
export function deleteMatching(
  call: Call,
  collection: Collection,
  filter: Filter,
  multi: boolean,
  hint?: Value,
): number {
  const query = targets(call, collection, filter, { hint });
  if (!multi) {
    const found = findFirst(call.kv, collection, query);
    if (found) collection.remove(call.kv, found.record, found.doc);
    return found ? 1 : 0;
  }
  let deleted = 0;
  for (const { record, doc } of recordsOf(call, collection, query)) {
    call.deadline.check();
    collection.remove(call.kv, record, doc);
    deleted++;
  }
  return deleted;
}

const common = ['ordered', 'bypassDocumentValidation'];

/** The three write commands. */
export const writeCommands: Record<string, CommandDefinition> = {
  insert: { access: 'write', fields: ['documents', ...common], run: insert },
  update: { access: 'write', fields: ['updates', 'let', ...common], run: update },
  delete: { access: 'write', fields: ['deletes', 'let', ...common], run: remove },
};
