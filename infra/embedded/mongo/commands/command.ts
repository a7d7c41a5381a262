import { type RawDocument } from '../bson/read';
import { type Catalog } from '../storage/catalog';
import { type Collection } from '../storage/collection';
import type { Maintenance } from '../storage/maintenance';
import { type Cursors } from '../query/cursors';
import { CommandError, notSupported } from '../errors';
import { parseExpression, type Variables } from '../expressions/expressions';
import { wholeNumber } from '../bson/numbers';
import { type Hint } from '../query/planner';
import { Deadline } from '../query/query';
import { type KeyValue, type Store } from '../storage/store';
import { shown } from '../bson/shown';
import { type Document, isDocument, isTruthy, type Value } from '../bson/values';
import { rawArray, type Request } from '../wire/message';
import { equalValues } from '../bson/compare';

/** What all commands work on. */
export interface Services {
  store: Store;
  catalog: Catalog;
  cursors: Cursors;
  maintenance: Maintenance;
  port: number;
  startedAt: Date;
}

export interface CommandDefinition {
  /** `write` runs inside a write transaction of the store, `read` on what is committed, `control` on neither. */
  access: 'read' | 'write' | 'control';
  /** The fields it takes besides the generic ones. Any other field is an error. */
  fields: readonly string[];
  run(call: Call): Document | Promise<Document>;
}

/** Fields that any command may carry and that need nothing from a single engine without users. */
export const genericFields: ReadonlySet<string> = new Set([
  '$db',
  'lsid',
  '$clusterTime',
  '$readPreference',
  'readConcern',
  'writeConcern',
  'maxTimeMS',
  'comment',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
  'txnNumber',
  'startTransaction',
  'autocommit',
]);

/** One command being run: typed access to its fields, and the view of the data that it works on. */
export class Call {
  readonly database: string;
  readonly deadline: Deadline;

  constructor(
    readonly name: string,
    readonly request: Request,
    readonly services: Services,
    readonly kv: KeyValue,
  ) {
    const database = request.body.get('$db');
    this.database = typeof database === 'string' ? database : 'admin';
    this.deadline = Deadline.in(this.integer('maxTimeMS') ?? 0);
  }

  get catalog(): Catalog {
    return this.services.catalog;
  }

  value(name: string): Value | undefined {
    return this.request.body.get(name);
  }

  /** @throws CommandError TypeMismatch (14) when the field has another type. */
  document(name: string): Document | undefined {
    const value = this.value(name);
    if (value === undefined || value === null) return undefined;
    if (!isDocument(value)) throw this.mismatch(name, value, 'object');
    return value;
  }

  /** A query document; a missing one finds everything. */
  query(name: string): Document {
    return this.document(name) ?? new Map<string, Value>();
  }

  array(name: string): Value[] | undefined {
    const value = this.value(name);
    if (value === undefined || value === null) return undefined;
    if (!Array.isArray(value)) throw this.mismatch(name, value, 'array');
    return value;
  }

  string(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw this.mismatch(name, value ?? null, 'string');
    return value;
  }

  integer(name: string): number | undefined {
    const value = this.value(name);
    if (value === undefined || value === null) return undefined;
    const number = wholeNumber(value);
    if (number === undefined) throw this.mismatch(name, value, 'long');
    return number;
  }

  /** An integer that must not be negative. */
  size(name: string): number | undefined {
    const number = this.integer(name);
    if (number !== undefined && number < 0)
      throw new CommandError(51024, `BSON field '${name}' value must be >= 0, actual value '${number}'`);
    return number;
  }

  flag(name: string, otherwise = false): boolean {
    const value = this.value(name);
    return value === undefined ? otherwise : isTruthy(value);
  }

  /** The documents of a document sequence, or of an array in the body. */
  documents(name: string): RawDocument[] {
    const documents = this.request.sequences.get(name) ?? rawArray(this.request.body, name);
    if (!documents) throw new CommandError(40414, `BSON field '${this.name}.${name}' is missing but a required field`);
    return documents;
  }

  /** The namespace in the command's first field. */
  namespace(): string {
    const name = this.value(this.name);
    if (typeof name !== 'string')
      throw new CommandError(
        'InvalidNamespace',
        `collection name has invalid type ${name === undefined ? 'missing' : shown(name)}`,
      );
    if (name === '') throw new CommandError('InvalidNamespace', `Invalid namespace specified '${this.database}.'`);
    return `${this.database}.${name}`;
  }

  collection(): Collection | undefined {
    return this.catalog.get(this.namespace());
  }

  /** The variables of `let`. */
  variables(): Variables {
    const variables = new Map<string, Value | undefined>([['NOW', new Date()]]);
    for (const [name, value] of this.document('let') ?? [])
      variables.set(name, parseExpression(value)(new Map(), variables));
    return variables;
  }

  session(): string | undefined {
    const id = this.document('lsid')?.get('id');
    return id === undefined ? undefined : shown(id);
  }

  private mismatch(name: string, value: Value, expected: string): CommandError {
    return new CommandError(
      'TypeMismatch',
      `BSON field '${this.name}.${name}' is the wrong type '${shown(value)}', expected type '${expected}'`,
    );
  }
}

/** Refuses every collation but the simple one, which is how this engine compares. */
export function checkCollation(collation: Value | undefined): void {
  if (collation === undefined) return;
  if (isDocument(collation) && (collation.size === 0 || collation.get('locale') === 'simple')) return;
  throw notSupported("the option 'collation' with a locale other than 'simple'");
}

/** Refuses fields outside of `known`, by name. */
export function checkFields(
  owner: string,
  names: Iterable<string>,
  known: ReadonlySet<string> | readonly string[],
): void {
  const allowed = known instanceof Set ? known : new Set(known);
  for (const name of names)
    if (!allowed.has(name))
      throw new CommandError(
        40415,
        `BSON field '${owner}.${name}' is an unknown field or one that the embedded engine does not support.`,
      );
}

/**
 * The index or the scan that a `hint` names.
 * @throws CommandError BadValue (2) when there is no such index.
 */
export function hintOf(collection: Collection, hint: Value | undefined): Hint | undefined {
  if (hint === undefined || (isDocument(hint) && hint.size === 0)) return undefined;
  if (isDocument(hint) && hint.has('$natural')) return { natural: wholeNumber(hint.get('$natural')) === -1 ? -1 : 1 };
  const index = collection.indexes.find(({ meta }) =>
    typeof hint === 'string' ? meta.name === hint : equalValues(meta.key, hint),
  );
  if (!index)
    throw new CommandError(
      'BadValue',
      'error processing query: planner returned error :: caused by :: hint provided does not correspond to an existing index',
    );
  return { index };
}
