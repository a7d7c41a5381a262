interface Waiting<Work, Done> {
  readonly work: Work;
  readonly resolve: (done: Done) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Work on things that can be worked on by one at a time, by key. What comes while a key is busy, or in the same turn of the event
 * loop, is handed on together and in order.
 */
export class Turns<Work, Done> {
  private readonly queues = new Map<string, Waiting<Work, Done>[]>();

  /**
   * @param most that is handed on together
   * @param take gives one result for each, in order
   */
  constructor(
    private readonly most: number,
    private readonly take: (key: string, works: readonly Work[]) => Promise<readonly PromiseSettledResult<Done>[]>,
  ) {}

  /** Resolves or rejects as `take` says of this work. */
  enqueue(key: string, work: Work): Promise<Done> {
    return new Promise((resolve, reject) => {
      const waiting = { work, resolve, reject };
      const queue = this.queues.get(key);
      if (queue) queue.push(waiting);
      else {
        this.queues.set(key, [waiting]);
        setImmediate(() => void this.run(key));
      }
    });
  }

  private async run(key: string): Promise<void> {
    const queue = this.queues.get(key)!;
    while (queue.length > 0) {
      const turn = queue.splice(0, this.most);
      try {
        const works = turn.map(({ work }) => work);
        for (const [index, result] of (await this.take(key, works)).entries()) {
          if (result.status === 'fulfilled') turn[index]!.resolve(result.value);
          else turn[index]!.reject(result.reason);
        }
      } catch (error) {
        for (const { reject } of turn) reject(error);
      }
    }
    this.queues.delete(key);
  }
}
