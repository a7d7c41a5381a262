/** Times of one kind of request, in milliseconds, and how many there were of them each second. */
export interface Timing {
  readonly count: number;
  readonly errors: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

/** @param times in milliseconds, in any order; @param seconds how long it took to gather them */
export function timingOf(times: readonly number[], seconds: number, errors = 0): Timing {
  const sorted = Float64Array.from(times).sort();
  return {
    count: sorted.length,
    errors,
    perSecond: sorted.length / seconds,
    p50Ms: percentile(sorted, 0.5),
    p95Ms: percentile(sorted, 0.95),
    p99Ms: percentile(sorted, 0.99),
  };
}

/** Of numbers in rising order, by the nearest rank; NaN of none. */
export function percentile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? NaN;
}

export function median(numbers: readonly number[]): number {
  return percentile(Float64Array.from(numbers).sort(), 0.5);
}
