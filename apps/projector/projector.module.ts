import type { ClickHouseClient } from '@clickhouse/client';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Db } from 'mongodb';
import { TableRebuilder, WAREHOUSE, WarehouseLoader } from '../../infra/clickhouse';
import { type Consumer, runConsumer } from '../../infra/consumer';
import { CLICKHOUSE, LOG } from '../../infra/engines.module';
import { EventStoreDb } from '../../infra/eventstore';
import type { Log } from '../../infra/log';
import {
  Leases,
  liveShare,
  MongoProjector,
  Parked,
  PARTITIONS,
  ReadModels,
  Rebuilder,
  runProjector,
  runWorkflows,
  type Term,
  WorkflowRedrive,
  WorkflowRunner,
} from '../../infra/mongo';
import type { EventBatch } from '../../packages/eventsourcing';
import { mongoProjections } from '../../projections';
import { readMigrations } from '../../projections/clickhouse';
import { CommandDispatcher } from '../shared/command-dispatcher';
import { isFinalRefusal } from '../shared/problems';
import { ProjectionMeter } from './projection-meter';
import { ProjectionStatus } from './projection-status';
import { ProjectionsController } from './projections.controller';
import { type DueCommand, Scheduler } from './scheduler';
import { SealingModule } from './sealing.module';
import { WorkflowCommands } from './workflow-commands';
import { workflowLanes } from './workflow-lanes';

/** What one process does at a time, whichever; the read models are parted among as many as there are. */
const PROJECTING = PARTITIONS.map(liveShare);
const SINGLE = ['clickhouse', 'workflows', 'scheduler', 'rebuilder'] as const;

/**
 * Feeds the read models, the warehouse and the workflows from the log, each at its own pace, and sends what has become due. Runs as often
 * as needed: leases share the work out.
 */
@Injectable()
class Projector implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private readonly readModels: ReadModels;
  private readonly leases: Leases;
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: EventStoreDb,
    private readonly db: Db,
    @Inject(CLICKHOUSE) private readonly clickhouse: ClickHouseClient,
    @Inject(LOG) private readonly log: Log,
    private readonly dispatcher: CommandDispatcher,
    private readonly meter: ProjectionMeter,
    private readonly commands: WorkflowCommands,
  ) {
    this.readModels = new ReadModels(db, mongoProjections);
    this.leases = new Leases(db, [...PROJECTING, ...SINGLE], log, { news: () => this.meter.rates() });
  }

  /** Ready means that collections and tables stand; a store that is away at the start is tried again by its consumer. */
  async onApplicationBootstrap(): Promise<void> {
    const { store, log, leases, stopping } = this;
    const parked = new Parked(this.db);
    const loader = new WarehouseLoader(this.clickhouse, readMigrations(), {
      park: (event, error) => parked.park(WAREHOUSE, event, error),
    });
    const warehouse = this.metered(loader);
    const tables = new TableRebuilder(this.clickhouse, loader, log);
    const runner = new WorkflowRunner(
      this.db,
      workflowLanes,
      (command) => this.commands.issue(command),
      isFinalRefusal,
    );
    const workflows = this.metered(runner);
    const redrive = new WorkflowRedrive(this.db, workflowLanes.flat(), runner.steps, store);
    const rebuilder = new Rebuilder(this.db, mongoProjections, this.readModels, store, log);
    const scheduler = new Scheduler(this.db, {
      dispatch: (command) => this.sendDue(command),
      isFinal: isFinalRefusal,
      now: Date.now,
      log,
    });
    const readModels = new MongoProjector(this.db, mongoProjections, { readModels: this.readModels });
    await Promise.allSettled([readModels.position(), loader.prepare(), workflows.position()]);
    const consume = (consumer: Consumer, { signal, isCurrent }: Term): Promise<void> =>
      runConsumer(consumer, store, log, signal, isCurrent);
    const { signal } = stopping;
    this.running = Promise.all([
      leases.run(signal),
      leases.hold(PROJECTING, signal, (term) => this.project(term)),
      leases.hold(['clickhouse'], signal, async (term) => {
        await Promise.all([consume(warehouse, term), tables.run(term.signal, term.isCurrent)]);
      }),
      leases.hold(['workflows'], signal, (term) => runWorkflows(workflows, redrive, store, log, term)),
      leases.hold(['scheduler'], signal, (term) => scheduler.run(term.signal)),
      leases.hold(['rebuilder'], signal, (term) => rebuilder.run(term.signal)),
    ]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
    await this.leases.release().catch((error: unknown) => {
      this.log.warn({ err: error }, 'the leases could not be given back; they run out by themselves');
    });
  }

  private project({ names, signal, isCurrent }: Term): Promise<void> {
    const { db, store, log, readModels, meter } = this;
    const partitions = PARTITIONS.filter((partition) => names.includes(liveShare(partition)));
    const onApplied = (projection: string, events: number): void => meter.count(projection, events);
    return runProjector(db, mongoProjections, store, log, { partitions, readModels, onApplied, signal, isCurrent });
  }

  private metered<C extends Consumer>(consumer: C): Consumer {
    const { name, options } = consumer;
    const apply = async (batch: EventBatch): Promise<void> => {
      await consumer.apply(batch);
      this.meter.count(name, batch.events.length);
    };
    return { name, ...(options && { options }), position: () => consumer.position(), apply };
  }

  private sendDue({ tenant, commandId, type, data, at }: DueCommand): Promise<unknown> {
    const caller = { sub: 'scheduler', tenant, roles: ['service'] as const };
    return this.dispatcher.dispatch(type, { ...data, occurredAt: at }, { caller, via: 'scheduler', id: commandId });
  }
}

@Module({
  imports: [SealingModule],
  controllers: [ProjectionsController],
  providers: [Projector, ProjectionMeter, ProjectionStatus, WorkflowCommands],
})
export class ProjectorModule {}
