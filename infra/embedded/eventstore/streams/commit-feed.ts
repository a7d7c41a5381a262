/**
 * Wakes subscribers after commits: those of $all by any commit, those of a stream only by its own. Not before the answers to those who wrote have
 * left, which would wait until what is new is read and encoded.
 */
import { type Writer } from '../storage/writer';

/**
 * Milliseconds between two wakes of those who follow $all. The first commit after a rest wakes them at once; while commits follow each other,
 * they get together what came meanwhile: to hand each on by itself, and to take it in, would take the writers' time.
 */
const PAUSE = 10;

export class CommitFeed {
  private readonly all = new Set<() => void>();
  private pausing = false;
  /** A commit came during the pause. */
  private waiting = false;
  private readonly byStream = new Map<string, Set<() => void>>();

  constructor(writer: Writer) {
    writer.onCommit((streams) => {
      setImmediate(() => {
        this.wakeAll();
        for (const stream of streams) this.byStream.get(stream)?.forEach((wake) => wake());
      });
    });
  }

  private wakeAll(): void {
    this.waiting = this.pausing;
    if (this.pausing) return;
    this.pausing = true;
    for (const wake of this.all) wake();
    setTimeout(() => {
      this.pausing = false;
      if (this.waiting) this.wakeAll();
    }, PAUSE);
  }

  /** Calls `wake` after commits that touch the source. Returns the function that ends it. */
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
