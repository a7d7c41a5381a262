import { type Db, type Document as MongoDocument, Long } from 'mongodb';
import { isDeepStrictEqual } from 'node:util';
import type { CollectionComparison, DocumentDifference } from '../../packages/eventsourcing';
import type { Stored } from './collection-feed';

const LISTED = 100;
/** Both are fed while they are compared: a pair that differs is looked at again so often, until both have come as far. */
const LOOKS = 5;

/** Holds a collection against the one that it is to take the place of, document by document in the order of ids. */
export async function compareCollections(db: Db, before: string, after: string): Promise<CollectionComparison> {
  const [old, fresh] = [db.collection<Stored>(before), db.collection<Stored>(after)];
  const cursors = [old, fresh].map((collection) => collection.find().sort({ _id: 1 }));
  const suspects: string[] = [];
  let documents = 0;
  let [left, right] = await Promise.all(cursors.map((cursor) => cursor.next()));
  while (left || right) {
    documents++;
    if (left && right && left._id === right._id) {
      if (!isDeepStrictEqual(left, right)) suspects.push(left._id);
      [left, right] = await Promise.all(cursors.map((cursor) => cursor.next()));
    } else if (left && (!right || left._id < right._id)) {
      suspects.push(left._id);
      left = await cursors[0]!.next();
    } else {
      suspects.push(right!._id);
      right = await cursors[1]!.next();
    }
  }
  const differences: DocumentDifference[] = [];
  for (const id of suspects) {
    const difference = await lookAgain(id);
    if (difference) differences.push(difference);
  }
  return { documents, differing: differences.length, differences: differences.slice(0, LISTED) };

  async function lookAgain(_id: string): Promise<DocumentDifference | undefined> {
    for (let looks = 1; ; looks++) {
      // The new one is written first: read last, it is never behind.
      const first = await old.findOne({ _id });
      const second = await fresh.findOne({ _id });
      if (isDeepStrictEqual(first, second)) return undefined;
      const isAsFar = first && second && isDeepStrictEqual(positionOf(first), positionOf(second));
      if (isAsFar || looks === LOOKS) return differenceBetween(_id, first, second);
    }
  }
}

function positionOf({ position }: Stored): string {
  return Long.fromValue(position).toString();
}

function differenceBetween(id: string, before: Stored | null, after: Stored | null): DocumentDifference {
  const { tenant } = (before ?? after)!;
  if (!before) return { id, tenant, kind: 'unexpected', fields: [] };
  if (!after) return { id, tenant, kind: 'missing', fields: [] };
  const [a, b] = [before, after] as MongoDocument[] as [MongoDocument, MongoDocument];
  const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  const fields = names.filter((name) => !isDeepStrictEqual(a[name], b[name]));
  return { id, tenant, kind: 'different', fields };
}
