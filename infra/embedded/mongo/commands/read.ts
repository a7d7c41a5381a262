import { writeDocument } from '../bson/write';
import { compareValues } from '../bson/compare';
import { CommandError, notSupported } from '../errors';
import { encodeKey } from '../bson/key-encoding';
import { parseFilter } from '../query/filter-parser';
import { someValue, splitPath } from '../bson/paths';
import { parseSort } from '../query/planner';
import { parseProjection } from '../query/projection';
import { count, find, type Query } from '../query/query';
import { document, type Document, RawBson, type Value } from '../bson/values';
import { type Call, checkCollation, type CommandDefinition, hintOf } from './command';
import { type Collection } from '../storage/collection';

function queryOf(call: Call, collection: Collection, filterField: string): Query {
  const limit = call.integer('limit') ?? 0;
  return {
    filter: parseFilter(call.query(filterField), call.variables()),
    sort: parseSort(call.document('sort')),
    skip: call.size('skip') ?? 0,
    limit: Math.abs(limit),
    hint: hintOf(collection, call.value('hint')),
    deadline: call.deadline,
  };
}

function findCommand(call: Call): Document {
  for (const option of ['tailable', 'awaitData', 'returnKey', 'showRecordId'])
    if (call.flag(option)) throw notSupported(`the option '${option}' of find`);
  for (const option of ['min', 'max'])
    if (call.document(option)?.size) throw notSupported(`the option '${option}' of find`);
  const namespace = call.namespace();
  const collection = call.collection();
  const filter = parseFilter(call.query('filter'), call.variables());
  const projection = parseProjection(call.document('projection'), filter, call.variables());
  const query = collection && queryOf(call, collection, 'filter');
  parseSort(call.document('sort'));
  if ((call.integer('limit') ?? 0) < 0) throw new CommandError(51024, "BSON field 'limit' value must be >= 0");
  const { kv } = call;
  function* results(): Generator<Buffer> {
    if (!collection || !query) return;
    for (const { doc } of find(kv, collection, query)) {
      const projected = projection ? projection(doc) : doc.bytes;
      yield projected instanceof Map
        ? writeDocument(projected)
        : projected instanceof RawBson
          ? projected.bytes
          : projected;
    }
  }
  return call.services.cursors.start(namespace, results(), {
    batchSize: call.size('batchSize'),
    single: call.flag('singleBatch'),
    session: call.session(),
    kept: call.flag('noCursorTimeout'),
    deadline: call.deadline,
  });
}

function getMore(call: Call): Document {
  const id = call.value('getMore');
  if (typeof id !== 'bigint')
    throw new CommandError('TypeMismatch', "BSON field 'getMore.getMore' is the wrong type, expected type 'long'");
  return call.services.cursors.more(id, `${call.database}.${call.string('collection')}`, call.size('batchSize') ?? 0);
}

function killCursors(call: Call): Document {
  const killed: Value[] = [];
  const notFound: Value[] = [];
  for (const id of call.array('cursors') ?? [])
    (typeof id === 'bigint' && call.services.cursors.kill(id) ? killed : notFound).push(id);
  return document({ cursorsKilled: killed, cursorsNotFound: notFound, cursorsAlive: [], cursorsUnknown: [], ok: 1 });
}

function countCommand(call: Call): Document {
  const collection = call.collection();
  if (!collection) return document({ n: 0, ok: 1 });
  // The number of all documents is kept; counting them would read every key.
  if (!call.document('query')?.size && !call.value('skip') && !call.value('limit'))
    return document({ n: call.catalog.countOf(collection), ok: 1 });
  return document({ n: count(call.kv, collection, queryOf(call, collection, 'query')), ok: 1 });
}

function distinct(call: Call): Document {
  const collection = call.collection();
  const path = splitPath(call.string('key'));
  const values = new Map<string, Value>();
  const add = (value: Value | undefined): void => {
    if (value !== undefined) values.set(encodeKey(value).toString('latin1'), value);
  };
  if (collection)
    for (const { doc } of find(call.kv, collection, queryOf(call, collection, 'query')))
      someValue(doc, path, 'whole', (value) => {
        if (Array.isArray(value)) value.forEach(add);
        else add(value);
        return false;
      });
  return document({ values: [...values.values()].sort(compareValues), ok: 1 });
}

const checked =
  (run: (call: Call) => Document): ((call: Call) => Document) =>
  (call) => {
    checkCollation(call.value('collation'));
    return run(call);
  };

const FIND_FIELDS = (
  'filter sort projection hint skip limit batchSize singleBatch let allowDiskUse noCursorTimeout allowPartialResults collation ' +
  'tailable awaitData min max returnKey showRecordId oplogReplay'
).split(' ');

/** Queries and cursors. */
export const readCommands: Record<string, CommandDefinition> = {
  find: { access: 'read', fields: FIND_FIELDS, run: checked(findCommand) },
  getMore: { access: 'read', fields: ['collection', 'batchSize'], run: getMore },
  killCursors: { access: 'control', fields: ['cursors'], run: killCursors },
  count: {
    access: 'read',
    fields: ['query', 'limit', 'skip', 'hint', 'collation'],
    run: checked(countCommand),
  },
  distinct: { access: 'read', fields: ['key', 'query', 'hint', 'collation'], run: checked(distinct) },
};
