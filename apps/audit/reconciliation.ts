import { Injectable } from '@nestjs/common';
import { ReadSide } from '../reports/read-side';
import type { Tell } from '../shared/progress';
import type { CheckResult } from './check';
import type { PoisonEvents } from './poison';
import type { Scope } from './scope';
import { StoreCheck } from './store-check';

export interface ReconcileAnswer extends CheckResult {
  /** Events that were read. */
  readonly events: number;
  /** Position that the comparison is up to, and that each store has reached. */
  readonly positions: { readonly eventstore: string; readonly mongodb: string; readonly clickhouse: string };
  /** Differences by collection and table; places without any are left out. */
  readonly places: Readonly<Record<string, number>>;
  /** What could not be applied, here as there; it makes no difference between them. */
  readonly parked: PoisonEvents;
  readonly milliseconds: number;
}

/** Compares the log with what MongoDB and ClickHouse made of it, by position and by content. */
@Injectable()
export class Reconciliation {
  constructor(
    private readonly stores: StoreCheck,
    private readonly readSide: ReadSide,
  ) {}

  async run(scope: Scope, tell?: Tell): Promise<ReconcileAnswer> {
    const startedAt = performance.now();
    const { replayed, tally } = await this.stores.check(scope, {
      timeline: 0,
      reports: false,
      tellBehind: true,
      tell,
    });
    const { readModels, warehouse } = this.readSide;
    const mongodb = await readModels.reached();
    const clickhouse = await warehouse.position();
    return {
      ...tally.result,
      events: replayed.events,
      positions: {
        eventstore: replayed.upTo.toString(),
        mongodb: mongodb.toString(),
        clickhouse: clickhouse.toString(),
      },
      places: Object.fromEntries(tally.byPlace),
      parked: replayed.parked,
      milliseconds: Math.round(performance.now() - startedAt),
    };
  }
}
