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
import { whenRoleChangedThenAssign } from '../../packages/enrollment';
import { mongoProjections } from '../../projections';
import { readMigrations } from '../../projections/clickhouse';
import { CommandDispatcher } from '../shared/command-dispatcher';
import { isFinalRefusal } from '../shared/problems';

/** Every workflow. To stand here is to run. */
export const workflows = [whenRoleChangedThenAssign];

/** Feeds the read models, the warehouse and the workflows from the log, each at its own pace. */
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
      ...workflows.map(
        (workflow) =>
          new WorkflowRunner(this.db, workflow, (command) => this.issue(workflow.name, command), isFinalRefusal),
      ),
    ];
    await Promise.allSettled(consumers.map((consumer) => consumer.position()));
    const { store, log, stopping } = this;
    this.running = Promise.all(consumers.map((consumer) => runConsumer(consumer, store, log, stopping.signal)));
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private issue(sub: string, command: WorkflowCommand): Promise<unknown> {
    const { type, data, at, tenant, commandId, correlationId, causationId } = command;
    const caller = { sub, tenant, roles: ['service'] as const };
    const delivery = { caller, via: 'workflow', id: commandId, correlationId, causationId };
    return this.dispatcher.dispatch(type, { ...data, occurredAt: at }, delivery);
  }
}

@Module({ providers: [Projector] })
export class ProjectorModule {}
