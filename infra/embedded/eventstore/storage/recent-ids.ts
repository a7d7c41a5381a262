/** Ids of the events written last, for the weak idempotency of appends that expect no particular revision. */
export interface RecentEvent {
  stream: string;
  revision: number;
  position: number;
}

/** As many as the real server keeps of ordinary events (8 MiB, `ESConsts.CommitedEventsMemCacheLimit`). */
const CAPACITY = 32_768;
const BUCKETS = 2 * CAPACITY;
const NONE = -1;

/**
 * A ring with a hash table over it, in arrays that never grow: a Map of this size, with one id in and one out for every event,
 * took more of the garbage collector's time than everything else that an append makes.
 */
export class RecentIds {
  private readonly ids = new Array<string>(CAPACITY).fill('');
  private readonly streams = new Array<string>(CAPACITY).fill('');
  private readonly revisions = new Float64Array(CAPACITY);
  private readonly positions = new Float64Array(CAPACITY);
  /** Newest slot of each bucket, and after each slot the next older one of the same bucket. */
  private readonly buckets = new Int32Array(BUCKETS).fill(NONE);
  private readonly older = new Int32Array(CAPACITY).fill(NONE);
  private next = 0;

  get(id: string): RecentEvent | undefined {
    for (let slot = this.buckets[bucketOf(id)]!; slot !== NONE; slot = this.older[slot]!)
      if (this.ids[slot] === id)
        return { stream: this.streams[slot]!, revision: this.revisions[slot]!, position: this.positions[slot]! };
    return undefined;
  }

  /** Adds an id in the place of the oldest one. */
  add(id: string, { stream, revision, position }: RecentEvent): void {
    const slot = this.next;
    this.next = (slot + 1) % CAPACITY;
    if (this.ids[slot] !== '') this.unlink(slot);
    this.ids[slot] = id;
    this.streams[slot] = stream;
    this.revisions[slot] = revision;
    this.positions[slot] = position;
    const bucket = bucketOf(id);
    this.older[slot] = this.buckets[bucket]!;
    this.buckets[bucket] = slot;
  }

  /** The oldest slot is the last of its bucket. */
  private unlink(slot: number): void {
    const bucket = bucketOf(this.ids[slot]!);
    let at = this.buckets[bucket]!;
    if (at === slot) {
      this.buckets[bucket] = NONE;
      return;
    }
    while (this.older[at] !== slot) at = this.older[at]!;
    this.older[at] = NONE;
  }

  static readonly capacity = CAPACITY;
}

/** FNV-1a over all characters: some kinds of UUID differ only at the front, others only at the back. */
function bucketOf(id: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 16)) & (BUCKETS - 1);
}
