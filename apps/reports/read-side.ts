import { Inject, Injectable } from '@nestjs/common';
import { Db } from 'mongodb';
import { availableParallelism } from 'node:os';
import type { ClickHouseClient } from '@clickhouse/client';
import { moved } from '../../infra/bell';
import { type Freshness, Warehouse } from '../../infra/clickhouse';
import { CLICKHOUSE } from '../../infra/engines.module';
import { ReadModels } from '../../infra/mongo';
import { SharedRead } from '../../infra/shared-read';
import { mongoProjections } from '../../projections';
import { reportSql, tablesOf } from '../../projections/clickhouse';
import { InvalidParameterError } from '../shared/problems';
import { PositionWatch } from './position-watch';
import { Presumption } from './presumption';
import { knownAtOf } from './query-parameters';
import { ReportQueue } from './report-queue';

/** More at once than there are processors only makes each take longer. */
const QUEUE = { running: Math.max(2, availableParallelism()), waiting: 2_000 };

/** The read models and the warehouse, and how far each has come. */
@Injectable()
export class ReadSide {
  readonly warehouse: Warehouse;
  readonly readModels: ReadModels;
  readonly queue = new ReportQueue(QUEUE);
  private readonly mongoReached: PositionWatch;
  private readonly warehouseReached: PositionWatch;
  /** For each report: it goes on while tables that it does not need are still being filled. */
  private readonly reportReached = new Map<string, PositionWatch>();
  private readonly freshness = new Map<string, SharedRead<Freshness>>();
  private readonly presumptions = new Map<string, Presumption<Freshness>>();

  constructor(
    readonly db: Db,
    @Inject(CLICKHOUSE) clickhouse: ClickHouseClient,
  ) {
    this.readModels = new ReadModels(db, mongoProjections);
    this.warehouse = new Warehouse(clickhouse, reportSql);
    this.mongoReached = new PositionWatch(() => this.readModels.reached(), 10, moved.mongo);
    this.warehouseReached = new PositionWatch(() => this.warehouse.position(), 50, moved.warehouse);
  }

  /** @param minPosition as a command answered it; @throws ReadModelBehindError after ten seconds */
  awaitMongo(minPosition: string | undefined): Promise<void> {
    return this.mongoReached.reach(positionOf(minPosition));
  }

  /** How far into the log a report looks: as far as its tables have come, or no further than what was known then. */
  async knownAt(knownAt: string | undefined, report?: string): Promise<Freshness> {
    const tables = report === undefined ? [] : tablesOf(report);
    if (knownAt === undefined) return this.freshnessOf(tables).ask();
    const known = knownAtOf(knownAt);
    if ('position' in known) await this.reached(report).reach(known.position);
    return this.warehouse.known(known, tables);
  }

  /**
   * Reads a report as of how far its tables have come, at the same time as how far that is: what they had when it was last asked for is what they have
   * now, unless they took rows since.
   */
  async asFarAsKnown<Found>(
    report: string,
    read: (known: Freshness) => Promise<Found>,
  ): Promise<{ known: Freshness; answer: Found }> {
    const presumption =
      this.presumptions.get(report) ?? new Presumption(() => this.knownAt(undefined, report), hasSameRows);
    this.presumptions.set(report, presumption);
    return presumption.answer(read);
  }

  /** Whether the whole warehouse, or all that a report is read from, includes this position. */
  awaitWarehouse(minPosition: string | undefined, report?: string): Promise<void> {
    return this.reached(report).reach(positionOf(minPosition));
  }

  private freshnessOf(tables: readonly string[]): SharedRead<Freshness> {
    const key = tables.join();
    const shared = this.freshness.get(key) ?? new SharedRead(() => this.warehouse.freshness(tables));
    this.freshness.set(key, shared);
    return shared;
  }

  private reached(report: string | undefined): PositionWatch {
    if (report === undefined) return this.warehouseReached;
    const watch =
      this.reportReached.get(report) ??
      new PositionWatch(() => this.warehouse.position(tablesOf(report)), 50, moved.warehouse);
    this.reportReached.set(report, watch);
    return watch;
  }
}

/** Whether a report up to the earlier position is the same up to the later one, about the same people. */
function hasSameRows(earlier: Freshness, later: Freshness): boolean {
  const { position, peopleChanged } = earlier;
  const noRowsSince = later.changed !== undefined && later.changed <= position && position <= later.position;
  return noRowsSince && later.peopleChanged === peopleChanged;
}

function positionOf(minPosition: string | undefined): bigint {
  if (minPosition === undefined) return 0n;
  if (!/^\d{1,19}$/.test(minPosition))
    throw new InvalidParameterError('minPosition', 'must be a position as a command gave it');
  return BigInt(minPosition);
}
