import { Controller, Get } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { EventStoreDb } from '../../infra/eventstore';
import { Checkpoints } from '../../infra/mongo';
import { ReadSide } from './read-side';

export interface Status {
  /** Position of the log's last event. */
  readonly log: string;
  /** Position that each consumer of the log has reached: `mongo`, `clickhouse`, and each workflow. */
  readonly consumers: Readonly<Record<string, string>>;
}

/** How far everything that reads the log has come. */
@ApiTags('operations')
@Controller('v1/status')
export class StatusController {
  private readonly checkpoints: Checkpoints;

  constructor(
    private readonly store: EventStoreDb,
    private readonly readSide: ReadSide,
  ) {
    this.checkpoints = new Checkpoints(readSide.db);
  }

  @Get()
  async status(): Promise<Status> {
    const [head, positions, warehouse] = await Promise.all([
      this.store.head(),
      this.checkpoints.all(),
      this.readSide.warehouse.position(),
    ]);
    const consumers = Object.fromEntries(positions.map(([consumer, position]) => [consumer, position.toString()]));
    return { log: (head ?? 0n).toString(), consumers: { ...consumers, clickhouse: warehouse.toString() } };
  }
}
