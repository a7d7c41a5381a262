import { setTimeout as delay } from 'node:timers/promises';
import type { Db, Filter } from 'mongodb';
import type { Stored } from '../../infra/mongo';
import { collectionName, READ_MODELS, type ReadModelState } from '../../packages/eventsourcing';
import { people } from '../../projections/mongo/people';

/** Between two looks at the read model, in milliseconds. */
const LOOK_AGAIN = 50;

export interface Erased {
  readonly tenant: string;
  readonly person: string;
  /** Position of the event that says so. */
  readonly position: bigint;
}

/**
 * Removes names and e-mails from every collection of the read model of people, also from those that are kept to go back to, and has the
 * server overwrite what was left in its files. What is still being fed may have read a name before its key was destroyed: so it
 * waits until all of that knows of the erasures.
 * @returns the collections
 */
export async function scrubReadModels(
  db: Db,
  erased: readonly Erased[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  await scrub(db, erased);
  for (const each of erased) while (!(await isKnown(db, each))) await delay(LOOK_AGAIN, undefined, { signal });
  const collections = await scrub(db, erased);
  for (const name of collections) await db.command({ compact: name });
  return collections;
}

function filterOf({ tenant, person }: Erased): Filter<Stored> {
  return { _id: person, tenant };
}

async function scrub(db: Db, erased: readonly Erased[]): Promise<readonly string[]> {
  const all = await db.listCollections({}, { nameOnly: true }).toArray();
  const versions = all.map(({ name }) => name).filter((name) => name.startsWith(`${people.name}_v`));
  for (const name of versions) {
    const update = { $set: { name: null, email: null } };
    const updates = erased.map((each) => ({ updateOne: { filter: filterOf(each), update } }));
    await db.collection<Stored>(name).bulkWrite(updates, { ordered: false });
  }
  return versions.sort();
}

async function isKnown(db: Db, erased: Erased): Promise<boolean> {
  const state = await db.collection<ReadModelState>(READ_MODELS).findOne({ _id: people.name });
  const active = state?.active.collection ?? collectionName(people);
  const isFrozen = state != null && state.frozenAt !== null;
  for (const name of [...(isFrozen ? [] : [active]), ...(state?.building ? [state.building.collection] : [])]) {
    const found = await db.collection<Stored>(name).findOne(filterOf(erased));
    if (!found || BigInt(found.position.toString()) < erased.position) return false;
  }
  return true;
}
