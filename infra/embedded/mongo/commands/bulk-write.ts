import { RawDocument, RawFields } from '../bson/read';
import { BsonType, document, type Document, isDocument, isTruthy, type Value } from '../bson/values';
import { writeDocument } from '../bson/write';
import { CommandError } from '../errors';
import { type Variables } from '../expressions/expressions';
import { parseFilter } from '../query/filter-parser';
import { wholeNumber } from '../bson/numbers';
import { checkNamespace } from '../storage/catalog';
import { type Call, checkCollation, checkFields, type CommandDefinition } from './command';
import { deleteMatching, insertOne, parseUpdateStatement, runStatements, updateStatement } from './write';

const OPERATION_FIELDS: Record<string, ReadonlySet<string>> = {
  insert: new Set(['insert', 'document']),
  update: new Set('update filter updateMods multi upsert arrayFilters hint constants collation sort'.split(' ')),
  delete: new Set(['delete', 'filter', 'multi', 'hint', 'collation']),
};

interface Totals {
  nInserted: number;
  nMatched: number;
  nModified: number;
  nUpserted: number;
  nDeleted: number;
}

/** `bulkWrite`: inserts, updates and deletes in several collections (specifications/source/crud/bulk-write.md). */
function bulkWrite(call: Call): Document {
  const namespaces = call.documents('nsInfo').map((info) => {
    checkFields('bulkWrite.nsInfo', ['ns', ...info.decode().keys()], ['ns']);
    const namespace = info.get('ns');
    if (typeof namespace !== 'string')
      throw new CommandError('TypeMismatch', "BSON field 'bulkWrite.nsInfo.ns' must be a string");
    checkNamespace(namespace);
    return namespace;
  });
  const operations = call.documents('ops');
  const variables = call.variables();
  const totals: Totals = { nInserted: 0, nMatched: 0, nModified: 0, nUpserted: 0, nDeleted: 0 };
  const results: Document[] = [];
  const errors = runStatements(operations, call.flag('ordered', true), (operation, idx) => {
    results.push(document({ ok: 1, idx, ...run(call, operation, namespaces, variables, totals) }));
  });
  const failed = errors.map((error) => {
    const { index, ...rest } = Object.fromEntries(error);
    return document({ ok: 0, idx: index, ...rest, n: 0 });
  });
  const all = [...(call.flag('errorsOnly') ? [] : results), ...failed].sort(
    (a, b) => Number(a.get('idx')) - Number(b.get('idx')),
  );
  const batchSize = wholeNumber(call.document('cursor')?.get('batchSize')) ?? Infinity;
  const reply = call.services.cursors.start('admin.$cmd.bulkWrite', all.map(writeDocument)[Symbol.iterator](), {
    batchSize,
    single: false,
    session: call.session(),
    kept: false,
  });
  return new Map<string, Value>([...reply, ['nErrors', errors.length], ...Object.entries(totals)]);
}

function run(
  call: Call,
  raw: RawDocument,
  namespaces: string[],
  variables: Variables,
  totals: Totals,
): Record<string, Value> {
  const operation = new RawFields(raw);
  const kind = raw.firstName() ?? '';
  const known = OPERATION_FIELDS[kind];
  if (!known) throw new CommandError('FailedToParse', `'${kind}' is not an operation of bulkWrite`);
  checkFields(`bulkWrite.${kind}`, operation.names(), known);
  checkCollation(operation.get('collation'));
  const namespace = namespaces[wholeNumber(operation.get(kind)) ?? -1];
  if (namespace === undefined)
    throw new CommandError('BadValue', `BulkWrite ops entry ${kind} has an invalid nsInfo index`);
  if (kind === 'insert') {
    const element = operation.find('document');
    if (element?.type !== BsonType.object)
      throw new CommandError('TypeMismatch', "'document' of an insert must be an object");
    insertOne(call, call.catalog.ensure(namespace), new RawDocument(raw.bytes, element.valueAt));
    totals.nInserted++;
    return { n: 1 };
  }
  if (kind === 'update') {
    const statement = parseUpdateStatement(operation, variables, {
      filter: 'filter',
      update: 'updateMods',
      constants: 'constants',
    });
    const { matched, modified, upsertedId } = updateStatement(call, namespace, statement);
    totals.nMatched += matched;
    totals.nModified += modified;
    if (upsertedId === undefined) return { n: matched, nModified: modified };
    totals.nUpserted++;
    return { n: 1, nModified: 0, upserted: document({ _id: upsertedId }) };
  }
  const collection = call.catalog.get(namespace);
  const filter = operation.get('filter');
  if (!isDocument(filter)) throw new CommandError('TypeMismatch', "'filter' of a delete must be an object");
  const parsed = parseFilter(filter, variables);
  const n = collection
    ? deleteMatching(call, collection, parsed, isTruthy(operation.get('multi')), operation.get('hint'))
    : 0;
  totals.nDeleted += n;
  return { n };
}

const FIELDS = ['ops', 'nsInfo', 'ordered', 'errorsOnly', 'let', 'bypassDocumentValidation', 'cursor'];

export const bulkWriteCommands: Record<string, CommandDefinition> = {
  bulkWrite: { access: 'write', fields: FIELDS, run: bulkWrite },
};
