import { type IndexField, type IndexKeys, indexKeys } from './index-keys';
import { CommandError, notSupported } from '../errors';
import { parseFilter } from '../query/filter-parser';
import { compileFilter, type Filter } from '../query/matcher';
import { toDouble } from '../bson/numbers';
import { splitPath } from '../bson/paths';
import { type Document, type Fields, isDocument, isNumeric, isTruthy, type Numeric, type Value } from '../bson/values';

/** An index as `listIndexes` shows it, and what follows from it. */
export interface IndexMeta {
  name: string;
  key: Document;
  fields: IndexField[];
  unique: boolean;
  sparse: boolean;
  partialFilter: Filter | undefined;
  /** Seconds after which a document expires, counted from the date in the indexed field. */
  expireAfterSeconds: number | undefined;
  specification: Document;
}

/** Options that change nothing here: a build is always in the foreground, and there is one version of the format. */
const harmless = new Set(['background', 'v', 'ns', 'commitQuorum']);
const known = new Set(['key', 'name', 'unique', 'sparse', 'partialFilterExpression', 'expireAfterSeconds']);

/**
 * Reads one index specification of `createIndexes`.
 * @throws CommandError with the code of MongoDB for what it refuses, NotImplemented (238) for kinds and options that are not in the subset.
 */
export function parseIndexMeta(specification: Document): IndexMeta {
  const key = specification.get('key');
  if (!isDocument(key)) throw new CommandError('FailedToParse', "An index specification needs a document as its 'key'");
  if (key.size === 0) throw new CommandError('CannotCreateIndex', 'Index keys cannot be an empty object');
  const fields = [...key].map(([path, kind]) => parseField(path, kind));
  const kept: Document = new Map<string, Value>([['v', 2]]);
  kept.set('key', key);
  kept.set('name', indexName(specification.get('name'), key));
  for (const [option, value] of specification) {
    if (harmless.has(option) || option === 'key' || option === 'name') continue;
    if (option === 'hidden' && value === false) continue;
    if (option === 'collation' && isDocument(value) && value.size === 1 && value.get('locale') === 'simple') continue;
    if (!known.has(option)) throw notSupported(`the index option '${option}'`);
    kept.set(option, value);
  }
  const expire = specification.get('expireAfterSeconds');
  if (expire !== undefined && (!isNumeric(expire) || toDouble(expire) < 0 || fields.length !== 1))
    throw new CommandError(
      'CannotCreateIndex',
      "'expireAfterSeconds' must be a non-negative number, on an index of one field",
    );
  const partial = specification.get('partialFilterExpression');
  if (partial !== undefined && !isDocument(partial))
    throw new CommandError('CannotCreateIndex', "'partialFilterExpression' must be a document");
  const sparse = isTruthy(specification.get('sparse'));
  if (partial && sparse)
    throw new CommandError('CannotCreateIndex', "cannot mix 'partialFilterExpression' and 'sparse'");
  return {
    name: kept.get('name') as string,
    key,
    fields,
    unique: isTruthy(specification.get('unique')) || isIdKey(key),
    sparse,
    partialFilter: partial && parseFilter(partial),
    expireAfterSeconds: expire === undefined ? undefined : toDouble(expire),
    specification: kept,
  };
}

function parseField(path: string, kind: Value): IndexField {
  if (typeof kind === 'string') throw notSupported(`indexes of kind '${kind}'`);
  if (!isNumeric(kind) || toDouble(kind) === 0 || Number.isNaN(toDouble(kind)))
    throw new CommandError('CannotCreateIndex', 'Values in the index key pattern must be numbers other than 0');
  if (path === '' || path.split('.').includes(''))
    throw new CommandError('CannotCreateIndex', 'Index keys cannot contain an empty field');
  if (path.includes('$**')) throw notSupported('wildcard indexes');
  if (path.split('.').some((part) => part.startsWith('$') && !/^\$(id|ref|db)$/.test(part)))
    throw new CommandError('CannotCreateIndex', "Index key contains an illegal field name: field name starts with '$'");
  return { path: splitPath(path), direction: toDouble(kind) > 0 ? 1 : -1 };
}

function indexName(given: Value | undefined, key: Document): string {
  if (isIdKey(key)) return '_id_';
  if (typeof given === 'string' && given !== '' && given !== '*') return given;
  if (given !== undefined) throw new CommandError('CannotCreateIndex', 'The index name must be a non-empty string');
  return [...key].map(([path, kind]) => `${path}_${toDouble(kind as Numeric)}`).join('_');
}

/** Whether this is the key of the index on `_id`. */
export function isIdKey(key: Document): boolean {
  const only = key.get('_id');
  return key.size === 1 && isNumeric(only) && toDouble(only) === 1;
}

/** An index of a collection, with the flags that its documents have set. */
export class Index {
  /** Some document had an array on an indexed path. */
  multikey = false;
  /** Some key was too long and was cut, so the order of entries is not that of the values. */
  truncated = false;
  private readonly covers: ((doc: Fields) => boolean) | undefined;
  /** The first parts of all paths that decide a document's keys. */
  readonly roots: ReadonlySet<string>;

  constructor(
    readonly id: number,
    readonly meta: IndexMeta,
  ) {
    this.covers = meta.partialFilter && compileFilter(meta.partialFilter);
    this.roots = new Set(meta.fields.map(({ path }) => path[0]!));
  }

  /** The document's keys, or undefined when the index does not hold it. */
  keysOf(doc: Fields): IndexKeys | undefined {
    if (this.covers && !this.covers(doc)) return undefined;
    const keys = indexKeys(doc, this.meta.fields);
    return this.meta.sparse && keys.allMissing ? undefined : keys;
  }
}
