/** The collection that says which collection each projection's queries read. Storage format. */
export const READ_MODELS = 'read_models';

/** One collection that a projection's documents were folded into, or one table of the warehouse. */
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
  readonly kind: 'missing' | 'unexpected' | 'duplicate' | 'different';
  /** Names of the fields that differ. */
  readonly fields: readonly string[];
}

/**
 * Where one projection's documents stand, and what takes their place: one document of `READ_MODELS`, storage format. The tables of the
 * warehouse tell the same of themselves.
 */
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

/** Another version than this process knows is wanted: this process must not write. */
export class OtherVersionError extends Error {
  override name = 'OtherVersionError';
}

/** There is nothing to go back to, or this process cannot. */
export class NoPreviousError extends Error {
  override name = 'NoPreviousError';
}

type Wanted = Pick<ReadModelState, '_id' | 'active' | 'building'>;

/** Whether a new version is to be built. @throws OtherVersionError when one is wanted that this process must not write */
export function isOutdated({ _id, active, building }: Wanted, version: number, hasBegun: boolean): boolean {
  const wanted = (building ?? active).version;
  if (wanted < version && !hasBegun) return true;
  if (wanted === version) return false;
  const text = `${_id} is wanted in version ${wanted}, and this process knows version ${version}`;
  throw new OtherVersionError(`${text}: stop it, or go back with "attest projections rollback ${_id}".`);
}

/** What queries read before, for this version of the code to go back to. @throws NoPreviousError */
export function previousOf({ _id, previous }: Pick<ReadModelState, '_id' | 'previous'>, version: number): Build {
  if (!previous) throw new NoPreviousError(`${_id} has nothing to go back to.`);
  if (previous.version === version) return previous;
  const text = `${previous.collection} was made by version ${previous.version}, and this process knows version ${version}`;
  throw new NoPreviousError(`${text}: start the code that it belongs to, and ask there.`);
}
