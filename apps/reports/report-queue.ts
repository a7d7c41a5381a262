import { BusyError } from '../shared/problems';

export interface ReportQueueLimits {
  /** How many reports the warehouse works on at a time. */
  readonly running: number;
  /** How many wait for that. */
  readonly waiting: number;
}

/** Seconds. */
const RETRY_AFTER = 2;

/**
 * Lets so many reports run at a time: a warehouse that works on few at once is done with all of them sooner, and what it is asked in
 * a burst does not pile up in it. Those who ask take turns, so that one who asks a hundred times holds nobody up. The same
 * report asked again while it waits or runs is answered once.
 */
export class ReportQueue {
  private running = 0;
  private waiting = 0;
  /** Whose turn it is first; each with what they wait for. */
  private readonly turns = new Map<string, (() => void)[]>();
  private readonly underWay = new Map<string, Promise<unknown>>();

  constructor(private readonly limits: ReportQueueLimits) {}

  /**
   * Runs `work` when it is the caller's turn, unless the same is under way.
   * @param question equal only for what has the same answer
   * @throws BusyError
   */
  async answer<Answer>(caller: string, question: string, work: () => Promise<Answer>): Promise<Answer> {
    const found = this.underWay.get(question);
    if (found) return found as Promise<Answer>;
    const answer = this.enter(caller).then(async (leave) => {
      try {
        return await work();
      } finally {
        leave();
      }
    });
    this.underWay.set(question, answer);
    try {
      return await answer;
    } finally {
      this.underWay.delete(question);
    }
  }

  /**
   * Waits for the caller's turn.
   * @returns the function that ends it
   * @throws BusyError
   */
  async enter(caller: string): Promise<() => void> {
    if (this.running < this.limits.running) this.running++;
    else await this.wait(caller);
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.next();
    };
  }

  private wait(caller: string): Promise<void> {
    if (this.waiting >= this.limits.waiting) {
      throw new BusyError(`${this.waiting} reports are waiting already.`, RETRY_AFTER);
    }
    this.waiting++;
    return new Promise((resolve) => {
      const turns = this.turns.get(caller);
      if (turns) turns.push(resolve);
      else this.turns.set(caller, [resolve]);
    });
  }

  /** The place goes to the caller who has waited longest since their last turn. */
  private next(): void {
    const [first] = this.turns;
    if (!first) {
      this.running--;
      return;
    }
    const [caller, [turn, ...others]] = first;
    this.turns.delete(caller);
    if (others.length > 0) this.turns.set(caller, others);
    this.waiting--;
    turn!();
  }
}
