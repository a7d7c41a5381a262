import type { ClickHouseClient } from '@clickhouse/client';
import { Inject, Injectable } from '@nestjs/common';
import { Db } from 'mongodb';
import { Gauge } from 'prom-client';
import { TableBuilds, type TableProgress, Warehouse, WAREHOUSE } from '../../infra/clickhouse';
import { CLICKHOUSE, LOG } from '../../infra/engines.module';
import { type Backlog, EventStoreDb } from '../../infra/eventstore';
import type { Log } from '../../infra/log';
import { Checkpoints, Leases, Parked, ReadModels } from '../../infra/mongo';
import type { ReadModelState } from '../../packages/eventsourcing';
import { mongoProjections } from '../../projections';
import { readMigrations, reportSql } from '../../projections/clickhouse';
import { metrics } from '../shared/metrics';
import { workflowLanes } from './workflow-lanes';

/** How far one reader of the log has come. */
export interface ProjectionRow {
  readonly projection: string;
  readonly sink: 'mongo' | 'clickhouse' | 'workflow';
  readonly version: number | null;
  /** `live`; or what is on its way to take its place, which is `catching-up`, or `joining` what is live. */
  readonly state: 'live' | 'catching-up' | 'joining';
  /** Of the live one, or of the one that catches up. */
  readonly position: string;
  readonly lagEvents: number;
  readonly lagSeconds: number;
  /** Events applied per second, of all processes together, over the last ten seconds. */
  readonly ratePerSecond: number;
  readonly parked: number;
}

type Progress = Pick<ProjectionRow, 'projection' | 'sink' | 'version' | 'state'> & {
  readonly position: bigint;
  readonly consumers: readonly string[];
};

/** Those of a sink that are applied together, and counted as one. */
const METERED_AS: Partial<Record<ProjectionRow['sink'], string>> = { workflow: 'workflows', clickhouse: WAREHOUSE };

/** Longest that a scrape waits for the stores, in milliseconds. */
const PATIENCE = 3_000;

/** How far everything that reads the log has come, over all processes. */
@Injectable()
export class ProjectionStatus {
  private readonly readModels: ReadModels;
  private readonly checkpoints: Checkpoints;
  private readonly leases: Leases;
  private readonly parked: Parked;
  private readonly warehouse: Warehouse;
  private readonly tables: TableBuilds;

  constructor(
    private readonly store: EventStoreDb,
    db: Db,
    @Inject(CLICKHOUSE) clickhouse: ClickHouseClient,
    @Inject(LOG) private readonly log: Log,
  ) {
    this.readModels = new ReadModels(db, mongoProjections);
    this.checkpoints = new Checkpoints(db);
    this.leases = new Leases(db, [], log);
    this.parked = new Parked(db);
    this.warehouse = new Warehouse(clickhouse, reportSql);
    this.tables = new TableBuilds(clickhouse, readMigrations());
    this.measure();
  }

  /** @param tenant whose parked events are counted; those of all when left out */
  async rows(tenant?: string): Promise<ProjectionRow[]> {
    const [progress, news, parked] = await Promise.all([this.progress(), this.leases.news(), this.parked.list(tenant)]);
    const backlogs = new Map<bigint, Promise<Backlog>>();
    for (const { position } of progress) {
      if (!backlogs.has(position)) backlogs.set(position, this.store.backlog(position));
    }
    const now = Date.now();
    const rows = progress.map(async ({ position, consumers, ...row }): Promise<ProjectionRow> => {
      const { events, since } = await backlogs.get(position)!;
      const meteredAs = METERED_AS[row.sink] ?? row.projection;
      const rates = news.map(({ news: rates }) => Number(rates[meteredAs] ?? 0));
      return {
        ...row,
        position: position.toString(),
        lagEvents: events,
        lagSeconds: since === null ? 0 : Math.max((now - Date.parse(since)) / 1_000, 0),
        ratePerSecond: rates.reduce((sum, rate) => sum + rate, 0),
        parked: parked.filter(({ consumer }) => consumers.includes(consumer)).length,
      };
    });
    return Promise.all(rows);
  }

  private async progress(): Promise<Progress[]> {
    const [states, live, builds, positions, warehouse, tables] = await Promise.all([
      this.readModels.list(),
      this.readModels.reached(),
      this.readModels.buildCheckpoints.all(),
      this.checkpoints.all(),
      this.warehouse.position(),
      this.tables.progress(),
    ]);
    const built = new Map(builds);
    const reached = new Map(positions);
    const workflows = workflowLanes.flat().map(({ name, version, reactions }): Progress => {
      const consumers = [`${name}_v${version}`, ...reactions.map((reaction) => reaction.name)];
      const position = reached.get(`${name}_v${version}`) ?? 0n;
      return { projection: name, sink: 'workflow', version, state: 'live', position, consumers };
    });
    return [
      ...states.flatMap((state) => readModelProgress(state, live, built)),
      {
        projection: WAREHOUSE,
        sink: 'clickhouse',
        version: null,
        state: 'live',
        position: warehouse,
        consumers: [WAREHOUSE],
      },
      ...tables.flatMap(tableProgress),
      ...workflows,
    ];
  }

  /** What `/metrics` tells, asked for whenever it is scraped. */
  private measure(): void {
    const figures = {
      position: ['position', 'Position in the log'],
      lag_events: ['lagEvents', 'Events of the log that are not applied yet'],
      lag_seconds: ['lagSeconds', 'Age of the oldest event that is not applied yet'],
      events_per_second: ['ratePerSecond', 'Events applied per second, of all processes'],
      parked_events: ['parked', 'Events that could not be applied'],
    } as const;
    const labelNames = ['projection', 'sink', 'state'] as const;
    let current: Promise<ProjectionRow[]> | undefined;
    const ask = (): Promise<ProjectionRow[]> => (current ??= this.rows().finally(() => (current = undefined)));
    for (const [figure, [field, help]] of Object.entries(figures)) {
      const name = `attest_projection_${figure}`;
      metrics.removeSingleMetric(name);
      const { log } = this;
      new Gauge({
        name,
        help,
        labelNames,
        registers: [metrics],
        async collect() {
          this.reset();
          try {
            for (const { projection, sink, state, ...row } of await within(PATIENCE, ask())) {
              this.set({ projection, sink, state }, Number(row[field]));
            }
          } catch (error) {
            log.warn({ err: error }, 'the progress of the projections cannot be told');
          }
        },
      });
    }
  }
}

/** The collection that queries read and, on its way, the one that will take its place. */
function readModelProgress(state: ReadModelState, live: bigint, built: ReadonlyMap<string, bigint>): Progress[] {
  const { _id: projection, active, frozenAt, building } = state;
  const shared = { projection, sink: 'mongo' } as const;
  const row: Progress = {
    ...shared,
    version: active.version,
    state: 'live',
    position: frozenAt === null ? live : BigInt(frozenAt),
    consumers: [active.collection],
  };
  if (!building) return [row];
  const { version, phase, collection } = building;
  const next = { ...shared, version, state: phase, position: built.get(collection) ?? 0n, consumers: [collection] };
  return collection === active.collection ? [next] : [row, next];
}

/** The table that queries read and, on its way, the one that will take its place. */
function tableProgress({ state, position, building: reached }: TableProgress): Progress[] {
  const { _id: projection, active, building } = state;
  const shared = { projection, sink: 'clickhouse', consumers: [] } as const;
  const row: Progress = { ...shared, version: active.version, state: 'live', position };
  if (!building) return [row];
  return [row, { ...shared, version: building.version, state: building.phase, position: reached }];
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
