import { BSON, type Db, type Document as MongoDocument, type FindCursor, Long } from 'mongodb';
import { isDeepStrictEqual } from 'node:util';
import type { CollectionComparison, DocumentDifference } from '../../packages/eventsourcing';
import type { Stored } from './collection-feed';

const LISTED = 100;
/** Documents that are read at once: few enough to be forgotten young, and for queries to pass between two of them. */
const BATCH = 1_000;
/** Both are fed while they are compared: a pair that differs is looked at again so often, until both have come as far. */
const LOOKS = 5;

/** Documents of a collection in the order of ids, as bytes: those that are the same are never taken apart. */
class InOrder {
  private readonly cursor: FindCursor<Buffer>;
  private read: Buffer[] = [];
  private at = 0;
  private hasEnded = false;

  constructor(db: Db, collection: string) {
    this.cursor = db.collection<Buffer>(collection).find({}, { raw: true, batchSize: BATCH }).sort({ _id: 1 });
  }

  /** Undefined when what was read is behind. */
  get current(): Buffer | undefined {
    return this.read[this.at];
  }

  /** Reads on where what was read is behind; after that, without a current one it is the end. */
  async readOn(): Promise<void> {
    if (this.current || this.hasEnded) return;
    const first = await this.cursor.next();
    this.hasEnded = first === null;
    this.read = first ? [first, ...this.cursor.readBufferedDocuments()] : [];
    this.at = 0;
  }

  pass(): void {
    this.at++;
  }
}

/** Holds a collection against the one that it is to take the place of, document by document in the order of ids. */
export async function compareCollections(db: Db, before: string, after: string): Promise<CollectionComparison> {
  const [old, fresh] = [db.collection<Stored>(before), db.collection<Stored>(after)];
  const [left, right] = [new InOrder(db, before), new InOrder(db, after)];
  const suspects: string[] = [];
  let documents = 0;
  for (;;) {
    await Promise.all([left.readOn(), right.readOn()]);
    if (!left.current && !right.current) break;
    do {
      documents++;
      const suspect = passOne(left, right);
      if (suspect !== undefined) suspects.push(suspect);
    } while (left.current && right.current);
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

/** Passes the next document, on both sides where it stands on both; gives its id where they differ in it. */
function passOne(left: InOrder, right: InOrder): string | undefined {
  if (left.current && right.current && left.current.equals(right.current)) {
    left.pass();
    right.pass();
    return undefined;
  }
  const [a, b] = [left, right].map(({ current }) => current && (BSON.deserialize(current) as Stored));
  const id = a && (!b || a._id <= b._id) ? a._id : b!._id;
  if (a?._id === id) left.pass();
  if (b?._id === id) right.pass();
  return isDeepStrictEqual(a, b) ? undefined : id;
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
