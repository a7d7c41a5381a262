import { ClickHouseException } from '../errors';

const MAX_WAITING = 2_000;

export type Lane = 'read' | 'write';

/**
 * Lets so many queries run at a time and queues the others in order. Neither lane can take every place, so that a burst of
 * reports does not hold up an insert, nor inserts the reports.
 */
export class Admission {
  private readonly running: Record<Lane, number> = { read: 0, write: 0 };
  private readonly waiting: Record<Lane, (() => void)[]> = { read: [], write: [] };

  /** @param places at least 2 */
  constructor(private readonly places: number) {}

  /** How many queries are running. */
  get active(): number {
    return this.running.read + this.running.write;
  }

  /**
   * Waits for a place.
   * @returns the function that gives it back
   * @throws ClickHouseException TOO_MANY_SIMULTANEOUS_QUERIES, or QUERY_WAS_CANCELLED when `signal` aborts first
   */
  async enter(lane: Lane, signal: AbortSignal): Promise<() => void> {
    if (!this.hasPlace(lane) || this.waiting[lane].length > 0) await this.wait(lane, signal);
    else this.running[lane]++;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      this.running[lane]--;
      this.admit();
    };
  }

  private hasPlace(lane: Lane): boolean {
    return this.active < this.places && this.running[lane] < this.places - 1;
  }

  private wait(lane: Lane, signal: AbortSignal): Promise<void> {
    const queue = this.waiting[lane];
    if (queue.length >= MAX_WAITING) {
      const message = `Too many simultaneous queries. Maximum: ${this.places} running and ${MAX_WAITING} waiting`;
      throw ClickHouseException.of('TOO_MANY_SIMULTANEOUS_QUERIES', message);
    }
    return new Promise((resolve, reject) => {
      const enter = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        queue.splice(queue.indexOf(enter), 1);
        reject(ClickHouseException.of('QUERY_WAS_CANCELLED', 'Query was cancelled'));
      };
      signal.addEventListener('abort', leave, { once: true });
      queue.push(enter);
    });
  }

  private admit(): void {
    for (const lane of ['write', 'read'] as const) {
      while (this.waiting[lane].length > 0 && this.hasPlace(lane)) {
        this.running[lane]++;
        this.waiting[lane].shift()!();
      }
    }
  }
}
