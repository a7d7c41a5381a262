import { isDeepStrictEqual } from 'node:util';
import type { Document } from '../../packages/eventsourcing';
import type { Pass } from './replay-passes';

/** What became of one document since. */
export interface StateDifference {
  /** Name of the read model. */
  readonly document: string;
  readonly id: string;
  /** Each field that differs; a document that did not exist has none. */
  readonly changes: readonly { readonly field: string; readonly then: unknown; readonly now: unknown }[];
}

export interface StateDifferences {
  /** Documents that differ; the first hundred are listed. */
  readonly total: number;
  readonly listed: readonly StateDifference[];
}

const LISTED = 100;

/** Gathers how the state that was asked for differs from that of now, pass by pass. */
export class StateDifferencesTally {
  private total = 0;
  private readonly listed: StateDifference[] = [];

  add({ then, now }: Pass): void {
    for (const projection of now.projections) {
      const [before, after] = [then.documentsOf(projection), now.documentsOf(projection)];
      for (const id of [...new Set([...before.keys(), ...after.keys()])].sort()) {
        const changes = changesBetween(before.get(id), after.get(id));
        if (changes.length === 0) continue;
        this.total++;
        if (this.listed.length < LISTED) this.listed.push({ document: projection.name, id, changes });
      }
    }
  }

  get result(): StateDifferences {
    return { total: this.total, listed: this.listed };
  }
}

function changesBetween(before: Document | undefined, after: Document | undefined): StateDifference['changes'] {
  if (before === after) return [];
  const [then, now] = [before ?? {}, after ?? {}] as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(then), ...Object.keys(now)])]
    .filter((field) => field !== '_id' && field !== 'tenant' && !isDeepStrictEqual(then[field], now[field]))
    .map((field) => ({ field, then: then[field] ?? null, now: now[field] ?? null }));
}
