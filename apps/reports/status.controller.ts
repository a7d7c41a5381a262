import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { EventStoreDb } from '../../infra/eventstore';
import { Checkpoints, type Sweep, WorkflowStates } from '../../infra/mongo';
import type { Caller } from '../../packages/auth';
import { CallerOf } from '../shared/authentication';
import { ReadSide } from './read-side';

export interface Status {
  /** Position of the log's last event. */
  readonly log: string;
  /** Position that each consumer of the log has reached: `mongo`, `clickhouse`, and each workflow. */
  readonly consumers: Readonly<Record<string, string>>;
  /** Workflows that are going through everybody of the tenant, because of one event that concerns them all. */
  readonly sweeps: readonly Pick<Sweep, 'type' | 'done' | 'total'>[];
}

/** How far everything that reads the log has come. */
@ApiTags('operations')
@Controller('v1/status')
export class StatusController {
  private readonly checkpoints: Checkpoints;
  private readonly workflows: WorkflowStates;

  constructor(
    private readonly store: EventStoreDb,
    private readonly readSide: ReadSide,
  ) {
    this.checkpoints = new Checkpoints(readSide.db);
    this.workflows = new WorkflowStates(readSide.db);
  }

  @Get()
  async status(@CallerOf() { tenant }: Caller): Promise<Status> {
    const [positions, mongo, warehouse, underWay] = await Promise.all([
      this.checkpoints.all(),
      this.readSide.readModels.reached(),
      this.readSide.warehouse.position(),
      this.workflows.underWay(tenant),
    ]);
    // Last, or a workflow could reach this end of the log by commands that move it: all would seem to be told of it.
    const head = await this.store.head();
    const sweeps = underWay.map(({ type, done, total }) => ({ type, done, total }));
    const workflows = positions.filter(([consumer]) => !consumer.includes(':'));
    const reached = [...workflows, ['mongo', mongo] as const, ['clickhouse', warehouse] as const];
    const consumers = Object.fromEntries(reached.map(([consumer, position]) => [consumer, position.toString()]));
    return { log: (head ?? 0n).toString(), consumers, sweeps };
  }
}
