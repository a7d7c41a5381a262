import type { Bell } from '../../infra/bell';
import { ReadModelBehindError } from '../shared/problems';

/** How long a query waits for the position that its caller asked for, in milliseconds. */
const PATIENCE = 10_000;
/** How many times longer it rests where this process moves the position itself, or a part of it, and then wakes who waits. */
const WHERE_WOKEN = 3;

/** Waits for a position that only rises. All who wait share one poll. */
export class PositionWatch {
  private reached = 0n;
  private polling: Promise<void> | undefined;

  /** @param bell rung when this process has moved the position, if it is the one that does */
  constructor(
    private readonly read: () => Promise<bigint>,
    private readonly intervalMs: number,
    private readonly bell: Bell,
  ) {}

  /** @throws ReadModelBehindError after ten seconds */
  async reach(position: bigint): Promise<void> {
    const deadline = Date.now() + PATIENCE;
    while (this.reached < position) {
      if (Date.now() > deadline) {
        throw new ReadModelBehindError(
          `Position ${position} is not visible yet; the read side is at ${this.reached}. Ask again.`,
        );
      }
      this.polling ??= this.poll().finally(() => (this.polling = undefined));
      await this.polling;
    }
  }

  private async poll(): Promise<void> {
    const before = this.reached;
    const { heard, rung } = this.bell;
    this.reached = await this.read();
    if (this.reached !== before) return;
    const rest = rung > 0 ? WHERE_WOKEN * this.intervalMs : this.intervalMs;
    await this.bell.rest(rest, heard, new AbortController().signal);
  }
}
