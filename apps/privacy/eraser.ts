import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { ClickHouseClient } from '@clickhouse/client';
import type { NatsConnection } from '@nats-io/transport-node';
import { Db, Long } from 'mongodb';
import { type Consumer, runConsumer } from '../../infra/consumer';
import { CLICKHOUSE, LOG, NATS } from '../../infra/engines.module';
import { EventStoreDb } from '../../infra/eventstore';
import type { Log } from '../../infra/log';
import { CommandPipeline, type EventBatch, type RecordedEvent } from '../../packages/eventsourcing';
import type { ErasureApproved } from '../../packages/privacy';
import { Erasures, type Places } from './erasures';

/** Erasures that are carried out together, and how long one waits for others, in milliseconds: going through all places takes longer. */
const TOGETHER = { maxBatch: 100, lingerMs: 250 };

/** Carries out every approved erasure, those that wait together, and again from where it was cut short. Runs once per installation. */
@Injectable()
export class Eraser implements Consumer, Places, OnApplicationBootstrap, BeforeApplicationShutdown {
  readonly name = 'eraser';
  readonly options = { types: ['ErasureApproved'], ...TOGETHER };
  private readonly stopping = new AbortController();
  private running: Promise<void> | undefined;

  constructor(
    readonly store: EventStoreDb,
    readonly pipeline: CommandPipeline,
    readonly db: Db,
    @Inject(CLICKHOUSE) readonly clickhouse: ClickHouseClient,
    @Inject(NATS) readonly nats: NatsConnection | null,
    @Inject(LOG) private readonly log: Log,
  ) {}

  onApplicationBootstrap(): void {
    this.running = runConsumer(this, this.store, this.log, this.stopping.signal);
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  /** Not among the checkpoints of the read side: it is told of approvals only, and so never at the end of the log. */
  async position(): Promise<bigint | undefined> {
    const found = await this.progress.findOne({ _id: this.name });
    return found ? BigInt(found.position.toString()) : undefined;
  }

  async apply({ events, position }: EventBatch): Promise<void> {
    if (events.length > 0) {
      const approvals = events as readonly RecordedEvent<ErasureApproved>[];
      await new Erasures(this, approvals).carryOut(this.stopping.signal);
      this.log.info({ people: approvals.map(({ data }) => data.person) }, 'erased');
    }
    const replacement = { position: Long.fromBigInt(position) };
    await this.progress.replaceOne({ _id: this.name }, replacement, { upsert: true });
  }

  private get progress() {
    return this.db.collection<{ _id: string; position: Long | number }>('erasures');
  }
}
