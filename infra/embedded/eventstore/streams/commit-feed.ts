/** Wakes subscribers after commits: those of $all by any commit, those of a stream only by its own. */
import { type Writer } from '../storage/writer';

export class CommitFeed {
  private readonly all = new Set<() => void>();
  private readonly byStream = new Map<string, Set<() => void>>();

  constructor(writer: Writer) {
    writer.onCommit((streams) => {
      for (const wake of this.all) wake();
      for (const stream of streams) this.byStream.get(stream)?.forEach((wake) => wake());
    });
  }

  /** Calls `wake` after every commit that touches the source. Returns the function that ends it. */
  watch(source: { stream: string } | 'all', wake: () => void): () => void {
    if (source === 'all') {
      this.all.add(wake);
      return () => this.all.delete(wake);
    }
    const waiters = this.byStream.get(source.stream) ?? new Set();
    this.byStream.set(source.stream, waiters.add(wake));
    return () => {
      waiters.delete(wake);
      if (waiters.size === 0 && this.byStream.get(source.stream) === waiters) this.byStream.delete(source.stream);
    };
  }
}
