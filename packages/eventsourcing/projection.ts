import type { DomainEvent, Recorded, RecordedEvent } from './messages';

/** Fields that every read-model document has beside its own. */
export interface Document {
  readonly _id: string;
  readonly tenant: string;
}

export interface IndexDefinition {
  readonly key: Readonly<Record<string, 1 | -1>>;
  readonly unique?: boolean;
}

/**
 * A read model as data. `evolve` gives the whole document after the event (absolute values), or null to delete it; it is pure,
 * so deleting the collection and replaying gives the same content.
 */
export interface Projection<D extends Document, E extends DomainEvent> {
  readonly name: string;
  /** A bump builds a new collection. */
  readonly version: number;
  readonly handles: readonly E['type'][];
  /** The document that an event belongs to, or the documents. */
  readonly key: (event: Recorded<E>) => string | readonly string[];
  /** @param key which of the event's documents this is */
  readonly evolve: (document: D | undefined, event: Recorded<E>, key: string) => D | null;
  readonly indexes: readonly IndexDefinition[];
}

/** What the registry holds: the runner hands a projection only events that it `handles`. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for AnyDecider
export type AnyProjection = Projection<any, any>;

/** The ids of the documents that an event belongs to. @throws TypeError when its data names none */
export function documentKeys(projection: AnyProjection, event: RecordedEvent): readonly string[] {
  const keys = projection.key(event) as string | readonly string[] | undefined;
  if (keys === undefined)
    throw new TypeError(`${event.type} does not say which document of ${projection.name} it belongs to`);
  return typeof keys === 'string' ? [keys] : keys;
}

/** Storage name of a projection's collection. */
export function collectionName(projection: Pick<AnyProjection, 'name' | 'version'>): string {
  return `${projection.name}_v${projection.version}`;
}

/**
 * Folds events into a map of documents: what the runner does, without a store. Used by audit replay and by specs.
 * Events that the projection does not handle are passed over.
 */
export class ProjectionFold<D extends Document> {
  readonly documents = new Map<string, D>();

  constructor(readonly projection: AnyProjection) {}

  apply(event: RecordedEvent): void {
    if (!this.projection.handles.includes(event.type)) return;
    for (const key of documentKeys(this.projection, event)) {
      const document = this.projection.evolve(this.documents.get(key), event, key) as D | null;
      if (document === null) this.documents.delete(key);
      else this.documents.set(key, document);
    }
  }
}
