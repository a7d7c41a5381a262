import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { Db, MongoClient } from 'mongodb';
import { type Settings } from '../packages/config';
import { CommandPipeline, type EventCatalog } from '../packages/eventsourcing';
import { EventStoreDb } from './eventstore';
import { LocalMasterKeys } from './keys';
import type { Log } from './log';

export const CLICKHOUSE = Symbol('ClickHouseClient');
export const NATS = Symbol('NatsConnection');
export const LOG = Symbol('Log');
export const SETTINGS = Symbol('Settings');

/** The one place where the engines' clients are made, from four URLs, and closed again. */
@Global()
@Module({})
export class EnginesModule implements OnApplicationShutdown {
  constructor(
    private readonly store: EventStoreDb,
    private readonly db: Db,
    @Inject(CLICKHOUSE) private readonly clickhouse: ClickHouseClient,
    @Inject(NATS) private readonly nats: NatsConnection | null,
  ) {}

  static forRoot(settings: Settings, catalog: EventCatalog, log: Log): DynamicModule {
    return {
      module: EnginesModule,
      providers: [
        { provide: SETTINGS, useValue: settings },
        { provide: LOG, useValue: log },
        {
          provide: EventStoreDb,
          useFactory: () => new EventStoreDb(settings.eventstore, catalog, new LocalMasterKeys(settings.masterKeys)),
        },
        {
          provide: CommandPipeline,
          inject: [EventStoreDb],
          useFactory: (store: EventStoreDb) => new CommandPipeline(store, catalog),
        },
        { provide: Db, useFactory: () => new MongoClient(settings.mongodb).db() },
        {
          provide: CLICKHOUSE,
          useFactory: () =>
            createClient({
              url: settings.clickhouse,
              log: { level: ClickHouseLogLevel.OFF },
              // Answers are short: to hand them to threads that format them takes longer than to format them.
              clickhouse_settings: { output_format_parallel_formatting: 0 },
            }),
        },
        {
          provide: NATS,
          useFactory: () =>
            settings.nats ? connect({ servers: settings.nats, maxReconnectAttempts: -1, name: 'attest' }) : null,
        },
      ],
      exports: [SETTINGS, LOG, EventStoreDb, CommandPipeline, Db, CLICKHOUSE, NATS],
    };
  }

  async onApplicationShutdown(): Promise<void> {
    await this.nats?.drain();
    this.store.close();
    await this.db.client.close();
    await this.clickhouse.close();
  }
}
