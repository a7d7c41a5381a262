/** What became of the facts of an import. */
export interface ImportSummary {
  readonly facts: Counts;
  readonly byKind: Readonly<Record<string, Counts>>;
  /** The first hundred refusals. */
  readonly refusals: readonly Refusal[];
  readonly seconds: number;
}

export interface Counts {
  sent: number;
  accepted: number;
  alreadyKnown: number;
  refused: number;
}

export interface Refusal {
  readonly fact: string;
  readonly reason: string;
}

const LISTED = 100;

/** Counts the facts of an import as their answers arrive. */
export class ImportTally {
  private readonly byKind = new Map<string, Counts>();
  private readonly refusals: Refusal[] = [];
  private readonly startedAt = Date.now();

  constructor(private readonly onProgress: (settled: number) => void = () => undefined) {}

  sent(kind: string): void {
    this.countsOf(kind).sent++;
  }

  settled(kind: string, fact: string, outcome: 'accepted' | 'already-known' | 'refused', reason = ''): void {
    const counts = this.countsOf(kind);
    if (outcome === 'accepted') counts.accepted++;
    else if (outcome === 'already-known') counts.alreadyKnown++;
    else {
      counts.refused++;
      if (this.refusals.length < LISTED) this.refusals.push({ fact, reason });
    }
    this.onProgress(1);
  }

  /** @param setup kinds that are no facts of the data but make its ground, left out of the total */
  summary(setup: readonly string[] = []): ImportSummary {
    const facts: Counts = { sent: 0, accepted: 0, alreadyKnown: 0, refused: 0 };
    for (const [kind, counts] of this.byKind) {
      if (setup.includes(kind)) continue;
      for (const key of Object.keys(facts) as (keyof Counts)[]) facts[key] += counts[key];
    }
    const seconds = (Date.now() - this.startedAt) / 1000;
    return { facts, byKind: Object.fromEntries(this.byKind), refusals: this.refusals, seconds };
  }

  private countsOf(kind: string): Counts {
    const found = this.byKind.get(kind);
    if (found) return found;
    const counts: Counts = { sent: 0, accepted: 0, alreadyKnown: 0, refused: 0 };
    this.byKind.set(kind, counts);
    return counts;
  }
}
