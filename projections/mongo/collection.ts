import type { Collection, Db, Filter } from 'mongodb';
import {
  collectionName,
  type Document,
  type Projection,
  READ_MODELS,
  type ReadModelState,
} from '../../packages/eventsourcing';

/** One page of a read model, in the order of ids: give the last id as `after` to get the next. */
export interface Page {
  readonly limit: number;
  readonly after?: string | undefined;
}

/** A document as queries answer it. */
export type Answer<D extends Document> = Omit<D, '_id'> & { readonly id: string };

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the events do not matter to a query
type ProjectionOf<D extends Document> = Projection<D, any>;

/**
 * The collection to read now. It is asked for with every query, after the wait for a position: whatever a query has seen, the next
 * one sees too, also when another collection took its place in between.
 */
export async function collectionOf<D extends Document>(db: Db, projection: ProjectionOf<D>): Promise<Collection<D>> {
  const states = db.collection<ReadModelState>(READ_MODELS);
  const state = await states.findOne({ _id: projection.name }, { projection: { active: 1 } });
  return db.collection<D>(state?.active.collection ?? collectionName(projection));
}

export async function findOne<D extends Document>(
  db: Db,
  projection: ProjectionOf<D>,
  tenant: string,
  id: string,
): Promise<Answer<D> | undefined> {
  const found = await (await collectionOf(db, projection)).findOne({ _id: id, tenant } as unknown as Filter<D>);
  return found ? toAnswer(found as D) : undefined;
}

export async function findPage<D extends Document>(
  db: Db,
  projection: ProjectionOf<D>,
  filter: Readonly<Record<string, unknown>>,
  { limit, after }: Page,
): Promise<Answer<D>[]> {
  const page = { ...filter, ...(after === undefined ? {} : { _id: { $gt: after } }) } as unknown as Filter<D>;
  const found = await (await collectionOf(db, projection)).find(page).sort({ _id: 1 }).limit(limit).toArray();
  return found.map((document) => toAnswer(document as D));
}

function toAnswer<D extends Document>(document: D): Answer<D> {
  const { _id: id, position: _position, ...fields } = document as D & { position?: unknown };
  return { id, ...fields } as unknown as Answer<D>;
}

/** Leaves out the fields that are undefined, which a filter would look for as null. */
export function given(filter: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined));
}
