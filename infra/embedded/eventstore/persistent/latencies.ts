/** How long a consumer took to answer its messages: what `extraStatistics` of a group asks for. */
export class Latencies {
  private readonly kept: number[] = [];
  private count = 0;

  /** @param milliseconds from sending a message to the answer to it */
  add(milliseconds: number): void {
    this.kept[this.count++ % KEPT] = milliseconds;
  }

  /** Named as EventStoreDB names them, in whole milliseconds; none before the first answer. */
  measurements(): [key: string, value: number][] {
    const sorted = [...this.kept].sort((a, b) => a - b);
    if (sorted.length === 0) return [];
    const at = (percent: number): number => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
    const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
    return [
      ['Highest', at(100)],
      ['Mean', mean],
      ['Median', at(50)],
      ['Fastest', at(0)],
      ...[1, 2, 3, 4, 5].map((n): [string, number] => [`Quintile ${n}`, at(n * 20)]),
      ...[90, 95, 99, 99.5, 99.9].map((percent): [string, number] => [`${percent}%`, at(percent)]),
    ].map(([key, value]) => [key as string, Math.round(value as number)]);
  }
}

/** Answers that are remembered of one consumer, the newest. */
const KEPT = 1000;
