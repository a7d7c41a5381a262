import { type RawDocument, RawFields } from '../bson/read';
import { CommandError } from '../errors';
import { parseFilter } from '../query/filter-parser';
import { type Filter } from '../query/matcher';
import { findFirst, type Found } from '../query/query';
import { parseProjection } from '../query/projection';
import { parseUpdate, upsertDocument } from '../update/update';
import { document, type Document, RawBson, type Value } from '../bson/values';
import { type Call, checkCollation, type CommandDefinition } from './command';
import { filtersField, insertOne, targets, updateField, updateRecord, type UpdateStatement } from './write';

/** `findAndModify`: changes or removes the first document in order and returns it as it was or became. */
function findAndModify(call: Call): Document {
  checkCollation(call.value('collation'));
  const remove = call.flag('remove');
  const hasUpdate = call.value('update') !== undefined;
  if (remove === hasUpdate)
    throw new CommandError('FailedToParse', 'Either an update or remove=true must be specified, and not both');
  if (remove && (call.flag('upsert') || call.flag('new')))
    throw new CommandError('FailedToParse', 'Cannot specify both upsert=true or new=true and remove=true');
  const filter = parseFilter(call.query('query'), call.variables());
  return remove ? removeFirst(call, filter) : updateFirst(call, filter);
}

function first(call: Call, filter: Filter): Found | undefined {
  const collection = call.collection();
  const options = { sort: call.document('sort'), hint: call.value('hint') };
  return collection && findFirst(call.kv, collection, targets(call, collection, filter, options));
}

function removeFirst(call: Call, filter: Filter): Document {
  const found = first(call, filter);
  if (!found) return reply({ n: 0 }, null);
  const value = returned(call, found.doc, filter);
  call.collection()!.remove(call.kv, found.record, found.doc);
  return reply({ n: 1 }, value);
}

function updateFirst(call: Call, filter: Filter): Document {
  const statement: UpdateStatement = {
    filter,
    update: parseUpdate(
      updateField(new RawFields(call.request.body), 'update'),
      filtersField(call.value('arrayFilters')),
      call.variables(),
    ),
    upsert: call.flag('upsert'),
    multi: false,
  };
  const found = first(call, filter);
  if (found) {
    const before = call.flag('new') ? undefined : returned(call, found.doc, filter);
    const after = updateRecord(call, call.collection()!, found.record, found.doc, statement) ?? found.doc;
    return reply({ n: 1, updatedExisting: true }, before === undefined ? returned(call, after, filter) : before);
  }
  if (!statement.upsert) return reply({ n: 0, updatedExisting: false }, null);
  const stored = insertOne(call, call.catalog.ensure(call.namespace()), upsertDocument(statement.update, filter));
  return reply(
    { n: 1, updatedExisting: false, upserted: stored.get('_id')! },
    call.flag('new') ? returned(call, stored, filter) : null,
  );
}

/** The document as the client asked for it, taken before anything overwrites its bytes. */
function returned(call: Call, doc: RawDocument, filter: Filter): Value {
  const projection = parseProjection(call.document('fields'), filter, call.variables());
  return projection ? projection(doc) : new RawBson(doc.slice());
}

function reply(lastErrorObject: Record<string, Value>, value: Value): Document {
  return document({ lastErrorObject: document(lastErrorObject), value, ok: 1 });
}

const FIELDS =
  'query sort remove update new fields upsert arrayFilters hint let collation bypassDocumentValidation'.split(' ');

const definition: CommandDefinition = { access: 'write', fields: FIELDS, run: findAndModify };

export const findAndModifyCommands: Record<string, CommandDefinition> = {
  findAndModify: definition,
  findandmodify: definition,
};
