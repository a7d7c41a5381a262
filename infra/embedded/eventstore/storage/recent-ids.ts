/** Ids of the events written last, for the weak idempotency of appends that expect no particular revision. */
export interface RecentEvent {
  stream: string;
  revision: number;
  position: number;
}

/** As many as the real server keeps of ordinary events (8 MiB, `ESConsts.CommitedEventsMemCacheLimit`). */
const CAPACITY = 32_768;

export class RecentIds {
  private readonly byId = new Map<string, RecentEvent>();
  private readonly ring: (string | undefined)[] = new Array<string | undefined>(CAPACITY);
  private next = 0;

  get(id: string): RecentEvent | undefined {
    return this.byId.get(id);
  }

  add(id: string, event: RecentEvent): void {
    // A Map used as a queue (first key, delete) is three times slower than a ring that remembers the order.
    const oldest = this.ring[this.next];
    if (oldest !== undefined) this.byId.delete(oldest);
    this.ring[this.next] = id;
    this.next = (this.next + 1) % CAPACITY;
    this.byId.set(id, event);
  }

  static readonly capacity = CAPACITY;
}
