import { Inject, Injectable } from '@nestjs/common';
import { type ClickHouseClient } from '@clickhouse/client';
import { compareTables, type RowDifference, ScratchWarehouse, WAREHOUSE } from '../../infra/clickhouse';
import { CLICKHOUSE, SETTINGS } from '../../infra/engines.module';
import { EventStoreDb } from '../../infra/eventstore';
import type { Settings } from '../../packages/config';
import { readMigrations } from '../../projections/clickhouse';
import { ReadSide } from '../reports/read-side';
import { ReadModelBehindError } from '../shared/problems';
import { type Tell, ToldReading } from '../shared/progress';
import { checkCollections, checkReports, CheckTally, END_OF_TIME } from './check';
import { PoisonTally } from './poison';
import { replay, type Replayed, type ReplayOptions } from './replay';
import type { Scope } from './scope';

export interface Checked {
  readonly replayed: Replayed;
  readonly tally: CheckTally;
}

/**
 * Holds MongoDB and ClickHouse against the log: everything that they should hold is made anew from it, documents in memory and rows in a
 * scratch database, and compared.
 */
@Injectable()
export class StoreCheck {
  constructor(
    private readonly store: EventStoreDb,
    private readonly readSide: ReadSide,
    @Inject(CLICKHOUSE) private readonly clickhouse: ClickHouseClient,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  /**
   * @param reports also count the reports from the documents
   * @throws ReadModelBehindError when a store has not come as far as the log, unless that is to be told as a difference
   */
  check(
    scope: Scope,
    {
      reports,
      tellBehind,
      tell = () => undefined,
      ...options
    }: ReplayOptions & { reports: boolean; tellBehind: boolean; tell?: Tell | undefined },
  ): Promise<Checked> {
    const tally = new CheckTally();
    const poison = new PoisonTally();
    const reaches = async (where: string, wait: Promise<void>): Promise<boolean> => {
      try {
        await wait;
        return true;
      } catch (error) {
        if (!tellBehind || !(error instanceof ReadModelBehindError)) throw error;
        tally.add({ where, id: 'checkpoint', kind: 'behind' });
        return false;
      }
    };
    return ScratchWarehouse.use(this.settings.clickhouse, readMigrations(), async (scratch) => {
      const { readSide } = this;
      const store = new ToldReading(this.store, tell);
      let lastRead = 0n;
      let mongoIsThere: boolean | undefined;
      const replayed = await replay(store, scope, END_OF_TIME.slice(0, 10), {
        ...options,
        poison,
        onEvent: async (event) => {
          lastRead = event.position;
          await scratch.add(event);
        },
        onPass: async (pass, selection) => {
          store.turnsTo('Comparing with MongoDB');
          mongoIsThere ??= await reaches('mongodb', readSide.awaitMongo(lastRead.toString()));
          if (mongoIsThere) await checkCollections(pass, selection, readSide.db, () => store.head(), tally);
        },
      });
      store.turnsTo('Comparing with ClickHouse');
      await scratch.flush();
      for (const { event, error } of scratch.parked) poison.add(WAREHOUSE, event, error);
      const { upTo, selection } = replayed;
      if (await reaches('clickhouse', readSide.awaitWarehouse(lastRead.toString()))) {
        const database = await this.database();
        const compared = { upTo, only: selection.columns };
        const report = ({ table, tenant: _, ...rest }: RowDifference): void =>
          tally.add({ where: `clickhouse ${table}`, ...rest });
        tally.compared += await compareTables(scratch.clickhouse, database, compared, report);
        const { tenant } = scope;
        if (reports && tenant) await checkReports(replayed, { ...scope, tenant }, readSide.warehouse, tally);
      }
      return { replayed: { ...replayed, parked: poison.result }, tally };
    });
  }

  private async database(): Promise<string> {
    const answer = await this.clickhouse.query({ query: 'SELECT currentDatabase() AS name', format: 'JSONEachRow' });
    return (await answer.json<{ name: string }>())[0]!.name;
  }
}
