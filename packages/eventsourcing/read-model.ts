/** The collection that says which collection each projection's queries read. Storage format. */
export const READ_MODELS = 'read_models';

/** One collection that a projection's documents were folded into. */
export interface Build {
  readonly collection: string;
  /** Version of the projection that made it. */
  readonly version: number;
}

/** What a build came to. */
export interface BuildResult extends Build {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly switchedAt: string;
  /** How it compares with the collection that it took the place of; null when there was none, or one of another version. */
  readonly compared: CollectionComparison | null;
}

export interface CollectionComparison {
  readonly documents: number;
  /** How many differ; the first hundred are listed. */
  readonly differing: number;
  readonly differences: readonly DocumentDifference[];
}

export interface DocumentDifference {
  readonly id: string;
  readonly tenant: string;
  readonly kind: 'missing' | 'unexpected' | 'different';
  /** Names of the fields that differ. */
  readonly fields: readonly string[];
}

/** Where one projection's documents stand, and what takes their place. One document of `READ_MODELS`; storage format. */
export interface ReadModelState {
  /** Name of the projection. */
  readonly _id: string;
  /** What queries read. */
  readonly active: Build;
  /** Position that `active` stays at until the switch, in decimals; null while it is fed. */
  readonly frozenAt: string | null;
  /** What is on its way to take its place: `catching-up` until it is as far as the log, `joining` until it is fed like the active one. */
  readonly building: (Build & { readonly phase: 'catching-up' | 'joining'; readonly startedAt: string }) | null;
  /** What was read before, kept to go back to. */
  readonly previous: Build | null;
  /** Builds that were begun. */
  readonly builds: number;
  readonly last: BuildResult | null;
}
