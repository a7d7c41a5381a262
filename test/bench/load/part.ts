/** What a figure must keep: at least, or at most, so much. `aim` is what we would like. */
export interface Floor {
  readonly figure: string;
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly aim?: number;
}

export interface PartResult {
  readonly name: string;
  /** Rates are per second; names that end in `Ms` are milliseconds, in `Mb` megabytes. */
  readonly figures: Readonly<Record<string, number>>;
  readonly floors: readonly Floor[];
}

export interface PartOptions {
  /** The same at a smaller size. */
  readonly quick: boolean;
  /** Gets one line for each step. */
  readonly report: (step: string) => void;
}

/** One part of the load bench, on a stack of its own. */
export type Part = (options: PartOptions) => Promise<PartResult>;

/** Whether a result keeps a floor; a figure that was not measured does not. */
export function keeps({ figures }: PartResult, { figure, atLeast, atMost }: Floor): boolean {
  const value = figures[figure] ?? NaN;
  return value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
}

/** Figures with their group before their names: `single` and `p50Ms` become `singleP50Ms`. */
export function named(group: string, figures: Readonly<Record<string, number>>): Record<string, number> {
  const names = Object.entries(figures).map(([name, value]) => [
    `${group}${name[0]!.toUpperCase()}${name.slice(1)}`,
    value,
  ]);
  return Object.fromEntries(names) as Record<string, number>;
}
