/**
 * Index entries of the newest records, in memory. In LMDB every entry would dirty a page of its own in every commit, which
 * costs more than the records themselves; so entries go there in bulk, and after a crash the few that are missing are
 * derived again from the end of the log.
 */
import { type IndexEntry, type NewEntry, type NewStream } from './store';

export class RecentIndex {
  private readonly streams = new Map<string, number>();
  private readonly byStream = new Map<number, IndexEntry[]>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(entries: readonly NewEntry[], streams: readonly NewStream[]): void {
    for (const { name, streamNo } of streams) this.streams.set(name, streamNo);
    for (const { streamNo, revision, position } of entries) {
      const known = this.byStream.get(streamNo);
      if (known) known.push({ revision, position });
      else this.byStream.set(streamNo, [{ revision, position }]);
    }
    this.count += entries.length;
  }

  streamNo(name: string): number | undefined {
    return this.streams.get(name);
  }

  /** Entries of a stream from a revision on, inclusive, in either direction. All of them are newer than those in LMDB. */
  entries(streamNo: number, from: number, limit: number, backwards: boolean): IndexEntry[] {
    const known = this.byStream.get(streamNo);
    if (!known) return [];
    const wanted = known.filter(({ revision }) => (backwards ? revision <= from : revision >= from));
    return (backwards ? wanted.reverse() : wanted).slice(0, limit);
  }

  /** Goes through everything, stream by stream, which keeps neighbours in LMDB together. */
  forEach(putEntry: (entry: NewEntry) => void, putStream: (stream: NewStream) => void): void {
    for (const [name, streamNo] of this.streams) putStream({ name, streamNo });
    for (const [streamNo, entries] of this.byStream) for (const entry of entries) putEntry({ streamNo, ...entry });
  }

  clear(): void {
    this.streams.clear();
    this.byStream.clear();
    this.count = 0;
  }
}
