/** What can be wrong with a history. */
export type FindingKind =
  | 'altered-data'
  | 'altered-metadata'
  /** Type, id, stream, revision, time or link; or, where nothing is sealed yet, any part of the event. */
  | 'altered-event'
  | 'removed'
  | 'inserted'
  | 'reordered'
  | 'seal-forged'
  | 'seal-removed'
  | 'tail-truncated'
  | 'unreadable';

/** Something that is wrong, and where. */
export interface Finding {
  readonly kind: FindingKind;
  readonly tenant: string;
  /** Place in the log, as a position: of the event, or of the place where it was. */
  readonly position: string;
  /** Null where the log no longer says which stream it was, or it is about more than one event. */
  readonly stream: string | null;
  readonly revision: number | null;
  readonly detail: string;
}

/** Findings in the order of the log; more than `LISTED` are only counted. */
export class Findings {
  private found: Finding[] = [];
  private counted = 0;

  add(finding: Finding): void {
    this.counted++;
    this.found.push(finding);
    if (this.found.length > 2 * LISTED) this.found = this.sorted();
  }

  get total(): number {
    return this.counted;
  }

  sorted(): Finding[] {
    return [...this.found].sort((a, b) => (BigInt(a.position) < BigInt(b.position) ? -1 : 1)).slice(0, LISTED);
  }
}

/** How many findings are listed; the others are counted. */
export const LISTED = 100;
