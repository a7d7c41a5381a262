import type { ClickHouseClient } from '@clickhouse/client';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Module,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { Db } from 'mongodb';
import { WarehouseLoader } from '../../infra/clickhouse';
import { type Consumer, runConsumer } from '../../infra/consumer';
import { CLICKHOUSE, LOG } from '../../infra/engines.module';
import { EventStoreDb } from '../../infra/eventstore';
import type { Log } from '../../infra/log';
import { MongoProjector, type WorkflowCommand, WorkflowRunner } from '../../infra/mongo';
import {
  assignment,
  whenAssignedThenNotify,
  whenAttemptPassedThenComplete,
  whenCertificateExpiresThenRecertify,
  whenPersonLeavesThenClose,
} from '../../packages/enrollment';
import type { AnyWorkflow } from '../../packages/eventsourcing';
import { whenJobTitleMappedThenChangeRole, whenPersonMovedThenPlace } from '../../packages/people';
import { mongoProjections } from '../../projections';
import { readMigrations } from '../../projections/clickhouse';
import { CommandDispatcher } from '../shared/command-dispatcher';
import { isFinalRefusal } from '../shared/problems';
import { type DueCommand, Scheduler } from './scheduler';

/** Every workflow, in lanes that run beside each other. To stand here is to run. */
export const workflowLanes: readonly (readonly AnyWorkflow[])[] = [
  [whenPersonMovedThenPlace],
  [
    whenJobTitleMappedThenChangeRole,
    assignment,
    whenPersonLeavesThenClose,
    whenAttemptPassedThenComplete,
    whenCertificateExpiresThenRecertify,
    whenAssignedThenNotify,
  ],
];

/** Feeds the read models, the warehouse and the workflows from the log, each at its own pace, and sends what has become due. */
@Injectable()
class Projector implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly stopping = new AbortController();
  private running: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly store: EventStoreDb,
    private readonly db: Db,
    @Inject(CLICKHOUSE) private readonly clickhouse: ClickHouseClient,
    @Inject(LOG) private readonly log: Log,
    private readonly dispatcher: CommandDispatcher,
  ) {}

  /** Ready means that collections and tables stand; a store that is away at the start is tried again by its consumer. */
  async onApplicationBootstrap(): Promise<void> {
    const consumers: Consumer[] = [
      new MongoProjector(this.db, mongoProjections),
      new WarehouseLoader(this.clickhouse, readMigrations()),
      new WorkflowRunner(this.db, workflowLanes, (command) => this.issue(command), isFinalRefusal),
    ];
    const scheduler = new Scheduler(this.db, {
      dispatch: (command) => this.sendDue(command),
      isFinal: isFinalRefusal,
      now: Date.now,
      log: this.log,
    });
    await Promise.allSettled(consumers.map((consumer) => consumer.position()));
    const { store, log, stopping } = this;
    this.running = Promise.all([
      ...consumers.map((consumer) => runConsumer(consumer, store, log, stopping.signal)),
      scheduler.run(stopping.signal),
    ]);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private issue(command: WorkflowCommand): Promise<unknown> {
    const { reaction, type, data, at, tenant, commandId, correlationId, causationId } = command;
    const caller = { sub: reaction, tenant, roles: ['service'] as const };
    const delivery = { caller, via: `workflow:${reaction}`, id: commandId, correlationId, causationId };
    return this.dispatcher.dispatch(type, { ...data, occurredAt: at }, delivery);
  }

  private sendDue({ tenant, commandId, type, data, at }: DueCommand): Promise<unknown> {
    const caller = { sub: 'scheduler', tenant, roles: ['service'] as const };
    return this.dispatcher.dispatch(type, { ...data, occurredAt: at }, { caller, via: 'scheduler', id: commandId });
  }
}

@Module({ providers: [Projector] })
export class ProjectorModule {}
