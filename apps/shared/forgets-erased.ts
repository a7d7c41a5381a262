import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { runConsumer } from '../../infra/consumer';
import { LOG } from '../../infra/engines.module';
import { EventStoreDb } from '../../infra/eventstore';
import type { Log } from '../../infra/log';
import { CommandPipeline, type EventBatch } from '../../packages/eventsourcing';

/** In every process: drops what it keeps in memory of somebody who is erased, whichever process does it. */
@Injectable()
export class ForgetsErased implements OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly name = 'forget';
  readonly options = { types: ['PersonErased', '\\$streamDeleted'] };
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    private readonly store: EventStoreDb,
    private readonly pipeline: CommandPipeline,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.running = runConsumer(this, this.store, this.log, this.stopping.signal);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Nothing is in memory yet of what was erased before. */
  position(): Promise<bigint | undefined> {
    return this.store.head();
  }

  /** The tombstones of keys are for the store itself, which sees them pass by. */
  apply({ events }: EventBatch): Promise<void> {
    for (const { stream } of events) this.pipeline.forget(stream);
    return Promise.resolve();
  }
}
