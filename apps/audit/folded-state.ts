import { type AnyProjection, type Document, documentKeys, type RecordedEvent } from '../../packages/eventsourcing';

/** Ids from `from` on, up to and without `to`. */
export interface IdRange {
  readonly from: string;
  readonly to: string | undefined;
}

/** Told of an event that a projection cannot take. Its document stays as it was, and the neighbours pass, as in the projector. */
export type OnPoison = (projection: string, event: RecordedEvent, error: unknown) => void;

/** The documents of many projections, folded from events; of a range of ids, which can be narrowed when they become too many. */
export class FoldedState {
  private readonly documents = new Map<AnyProjection, Map<string, Document>>();
  private readonly handlers = new Map<string, readonly AnyProjection[]>();
  private to: string | undefined;

  constructor(
    readonly projections: readonly AnyProjection[],
    private readonly onPoison: OnPoison,
    private readonly keeps: (document: Document) => boolean = () => true,
    private readonly from = '',
  ) {
    for (const projection of projections) {
      this.documents.set(projection, new Map());
      for (const type of projection.handles as readonly string[]) {
        this.handlers.set(type, [...(this.handlers.get(type) ?? []), projection]);
      }
    }
  }

  get size(): number {
    let size = 0;
    for (const documents of this.documents.values()) size += documents.size;
    return size;
  }

  documentsOf<D extends Document>(projection: AnyProjection): ReadonlyMap<string, D> {
    return (this.documents.get(projection) ?? new Map<string, D>()) as unknown as ReadonlyMap<string, D>;
  }

  apply(event: RecordedEvent): void {
    for (const projection of this.handlers.get(event.type) ?? []) {
      for (const key of this.keysOf(projection, event)) this.evolve(projection, event, key);
    }
  }

  private keysOf(projection: AnyProjection, event: RecordedEvent): readonly string[] {
    try {
      return documentKeys(projection, event);
    } catch (error) {
      this.onPoison(projection.name, event, error);
      return [];
    }
  }

  private evolve(projection: AnyProjection, event: RecordedEvent, key: string): void {
    if (key < this.from || (this.to !== undefined && key >= this.to)) return;
    const documents = this.documents.get(projection)!;
    let document: Document | null;
    try {
      document = projection.evolve(documents.get(key), event, key) as Document | null;
    } catch (error) {
      return this.onPoison(projection.name, event, error);
    }
    if (document === null) documents.delete(key);
    else if (this.keeps(document)) documents.set(key, document);
  }

  /** Forgets the documents from this id on, and keeps out those that are still to come. */
  narrow(to: string): void {
    this.to = to;
    for (const documents of this.documents.values()) {
      for (const key of documents.keys()) if (key >= to) documents.delete(key);
    }
  }

  /**
   * An id that has about as many of the ids before it as after it. In ASCII, so that MongoDB, which compares bytes, and JavaScript, which compares
   * UTF-16, agree on which ids come before it. Undefined when there is none.
   */
  middle(): string | undefined {
    const keys = new Set<string>();
    for (const documents of this.documents.values()) for (const key of documents.keys()) keys.add(key);
    const sorted = [...keys].sort();
    for (let at = sorted.length >> 1; at < sorted.length; at++) {
      const ascii = /^[\0-\x7f]*/.exec(sorted[at]!)![0];
      if (ascii > sorted[0]!) return ascii;
    }
    return undefined;
  }
}
