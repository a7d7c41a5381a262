import { equalValues } from '../bson/compare';
import { writeDocument } from '../bson/write';
import { type Collection } from '../storage/collection';
import { CommandError, notSupported } from '../errors';
import { Index, isIdKey, parseIndexMeta } from '../storage/index-definition';
import { Space } from '../storage/keys';
import { parseFilter } from '../query/filter-parser';
import { matches } from '../query/matcher';
import { document, type Document, isDocument, type Value } from '../bson/values';
import { type Call, checkCollation, type CommandDefinition } from './command';

const missing = (namespace: string): CommandError =>
  new CommandError('NamespaceNotFound', `ns not found: ${namespace}`);

function existing(call: Call): Collection {
  const collection = call.collection();
  if (!collection) throw missing(call.namespace());
  return collection;
}

function create(call: Call): Document {
  const namespace = call.namespace();
  if (call.flag('capped')) throw notSupported("the option 'capped' of create");
  for (const option of REFUSED_OPTIONS)
    if (call.value(option) !== undefined) throw notSupported(`the option '${option}' of create`);
  checkCollation(call.value('collation'));
  if (call.catalog.get(namespace)) return document({ ok: 1 });
  call.catalog.ensure(namespace);
  return document({ ok: 1 });
}

/** Since MongoDB 7.0 what is not there is dropped with success. */
function drop(call: Call): Document {
  const collection = call.collection();
  if (!collection) return document({ ok: 1 });
  const nIndexesWas = collection.indexes.length;
  call.catalog.drop(collection);
  call.services.cursors.killNamespace(collection.namespace);
  return document({ nIndexesWas, ns: collection.namespace, ok: 1 });
}

function dropDatabase(call: Call): Document {
  const collections = call.catalog.inDatabase(call.database);
  for (const collection of collections) {
    call.catalog.drop(collection);
    call.services.cursors.killNamespace(collection.namespace);
  }
  return document({ ...(collections.length > 0 && { dropped: call.database }), ok: 1 });
}

/** Renames within one transaction, so a reader sees either the old target or the new one, and a crash leaves one of them. */
function renameCollection(call: Call): Document {
  const from = call.string('renameCollection');
  const to = call.string('to');
  const source = call.catalog.get(from);
  if (!source) throw new CommandError('NamespaceNotFound', `Source collection ${from} does not exist`);
  if (from === to) throw new CommandError('IllegalOperation', "Can't rename a collection to itself");
  const target = call.catalog.get(to);
  if (target) {
    if (!call.flag('dropTarget')) throw new CommandError('NamespaceExists', 'target namespace exists');
    call.catalog.drop(target);
    call.services.cursors.killNamespace(to);
  }
  call.services.cursors.killNamespace(from);
  call.catalog.rename(source, to);
  return document({ ok: 1 });
}

function listed(call: Call, namespace: string, documents: Document[], options: Document | undefined): Document {
  const batchSize = options?.get('batchSize');
  return call.services.cursors.start(namespace, documents.map(writeDocument)[Symbol.iterator](), {
    batchSize: typeof batchSize === 'number' ? batchSize : undefined,
    single: false,
    session: call.session(),
    kept: false,
  });
}

function listCollections(call: Call): Document {
  const filter = parseFilter(call.query('filter'));
  const nameOnly = call.flag('nameOnly');
  const documents = call.catalog
    .inDatabase(call.database)
    .map((collection) =>
      document({
        name: collection.name,
        type: 'collection',
        options: document({}),
        info: document({ readOnly: false }),
        idIndex: collection.idIndex.meta.specification,
      }),
    )
    .filter((doc) => matches(filter, doc))
    .map((doc) => (nameOnly ? document({ name: doc.get('name'), type: doc.get('type') }) : doc));
  return listed(call, `${call.database}.$cmd.listCollections`, documents, call.document('cursor'));
}

function listDatabases(call: Call): Document {
  const filter = parseFilter(call.query('filter'));
  const names = new Set(call.catalog.all().map(({ database }) => database));
  const nameOnly = call.flag('nameOnly');
  const databases = [...names]
    .sort()
    .map((name) => document({ name, ...(!nameOnly && { sizeOnDisk: 0n, empty: false }) }))
    .filter((doc) => matches(filter, doc));
  return document({ databases, ...(!nameOnly && { totalSize: 0n, totalSizeMb: 0n }), ok: 1 });
}

function listIndexes(call: Call): Document {
  const collection = call.collection();
  if (!collection) throw new CommandError('NamespaceNotFound', `ns does not exist: ${call.namespace()}`);
  const documents = collection.indexes.map(({ meta }) => meta.specification);
  return listed(call, collection.namespace, documents, call.document('cursor'));
}

function createIndexes(call: Call): Document {
  const specifications = call.array('indexes') ?? [];
  if (specifications.length === 0) throw new CommandError('BadValue', 'Must specify at least one index to create');
  const metas = specifications.map((specification) => {
    if (!isDocument(specification)) throw new CommandError('TypeMismatch', 'Index specifications must be objects');
    return parseIndexMeta(specification);
  });
  const created = call.collection() === undefined;
  const collection = call.catalog.ensure(call.namespace());
  const before = created ? 0 : collection.indexes.length;
  const built: Index[] = [];
  try {
    for (const meta of metas) {
      if (isIdKey(meta.key) || sameIndexExists(collection, meta)) continue;
      const index = new Index(call.catalog.newIndexId(), meta);
      built.push(index);
      collection.buildIndex(call.kv, index);
    }
  } catch (error) {
    // All or none, as for the server; entries of an index that failed half-way go with the sweep too.
    for (const index of built) removeIndex(call, collection, index);
    throw error;
  }
  return document({
    numIndexesBefore: before || 1,
    numIndexesAfter: collection.indexes.length,
    createdCollectionAutomatically: created,
    ...(built.length === 0 && { note: 'all indexes already exist' }),
    ok: 1,
  });
}

function sameIndexExists(collection: Collection, meta: Index['meta']): boolean {
  const named = collection.indexNamed(meta.name);
  const sameKey = collection.indexes.find(
    (index) => equalValues(index.meta.key, meta.key) && samePartial(index.meta, meta),
  );
  const other = named ?? sameKey;
  if (!other) return false;
  if (equalValues(withoutName(other.meta.specification), withoutName(meta.specification))) {
    if (other.meta.name === meta.name) return true;
    throw new CommandError('IndexOptionsConflict', `Index already exists with a different name: ${other.meta.name}`);
  }
  if (named)
    throw new CommandError(
      'IndexKeySpecsConflict',
      `An existing index has the same name as the requested index: ${meta.name}`,
    );
  throw new CommandError(
    'IndexOptionsConflict',
    `An equivalent index already exists with a different name and options: ${other.meta.name}`,
  );
}

function samePartial(a: Index['meta'], b: Index['meta']): boolean {
  const name = 'partialFilterExpression';
  return equalValues(a.specification.get(name), b.specification.get(name));
}

function withoutName(specification: Document): Document {
  const fields = [...specification].filter(([name]) => name !== 'name').sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(fields);
}

function removeIndex(call: Call, collection: Collection, index: Index): void {
  if (collection.indexes.includes(index)) collection.removeIndex(index);
  call.catalog.discard(Space.index, index.id);
}

function dropIndexes(call: Call): Document {
  const collection = existing(call);
  const nIndexesWas = collection.indexes.length;
  const which = call.value('index');
  for (const index of which === '*' ? collection.indexes.slice(1) : indexesNamed(collection, which)) {
    if (index === collection.idIndex) throw new CommandError('InvalidOptions', 'cannot drop _id index');
    removeIndex(call, collection, index);
  }
  return document({ nIndexesWas, ok: 1 });
}

function indexesNamed(collection: Collection, which: Value | undefined): Index[] {
  return (Array.isArray(which) ? which : [which ?? null]).map((one) => {
    const index = collection.indexes.find(({ meta }) =>
      isDocument(one) ? equalValues(meta.key, one) : meta.name === one,
    );
    if (!index)
      throw new CommandError('IndexNotFound', `index not found with name [${typeof one === 'string' ? one : 'given'}]`);
    return index;
  });
}

function collStats(call: Call): Document {
  const collection = call.collection();
  const total = collection ? call.catalog.countOf(collection) : 0;
  return document({
    ns: call.namespace(),
    count: total,
    size: 0,
    storageSize: 0,
    nindexes: collection?.indexes.length ?? 0,
    ok: 1,
  });
}

/**
 * Overwrites what deleted and replaced documents left in the files, of all collections at once, which a real server does not promise.
 * Nobody is served meanwhile.
 */
async function compact(call: Call): Promise<Document> {
  existing(call);
  await call.services.maintenance.sweep();
  await call.services.store.scrub();
  return document({ bytesFreed: 0, ok: 1 });
}

function dbStats(call: Call): Document {
  const collections = call.catalog.inDatabase(call.database);
  return document({
    db: call.database,
    collections: collections.length,
    objects: collections.reduce((sum, collection) => sum + call.catalog.countOf(collection), 0),
    indexes: collections.reduce((sum, { indexes }) => sum + indexes.length, 0),
    ok: 1,
  });
}

/** Kinds of collections and options that `create` names in its refusal. */
const REFUSED_OPTIONS = (
  'viewOn pipeline timeseries clusteredIndex validator validationLevel validationAction changeStreamPreAndPostImages ' +
  'encryptedFields expireAfterSeconds size max'
).split(' ');

/** Collections, indexes and databases. */
export const adminCommands: Record<string, CommandDefinition> = {
  create: { access: 'write', fields: ['capped', 'collation', ...REFUSED_OPTIONS], run: create },
  drop: { access: 'write', fields: [], run: drop },
  dropDatabase: { access: 'write', fields: [], run: dropDatabase },
  renameCollection: { access: 'write', fields: ['to', 'dropTarget'], run: renameCollection },
  createIndexes: { access: 'write', fields: ['indexes', 'commitQuorum'], run: createIndexes },
  dropIndexes: { access: 'write', fields: ['index'], run: dropIndexes },
  listCollections: {
    access: 'read',
    fields: ['filter', 'nameOnly', 'authorizedCollections', 'cursor'],
    run: listCollections,
  },
  listDatabases: { access: 'read', fields: ['filter', 'nameOnly', 'authorizedDatabases'], run: listDatabases },
  listIndexes: { access: 'read', fields: ['cursor'], run: listIndexes },
  compact: { access: 'control', fields: ['force'], run: compact },
  collStats: { access: 'read', fields: ['scale'], run: collStats },
  dbStats: { access: 'read', fields: ['scale', 'freeStorage'], run: dbStats },
  dbstats: { access: 'read', fields: ['scale', 'freeStorage'], run: dbStats },
};
