import { randomUUID } from 'node:crypto';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import { Warehouse, WarehouseLoader } from '../../../infra/clickhouse';
import type { RecordedEvent } from '../../../packages/eventsourcing';
import { readMigrations, reportSql } from '../../../projections/clickhouse';
import { sharedClickHouse } from '../clickhouse/shared-engine';

/** Of the whole data, on a machine that does other things, in milliseconds. */
const PATIENCE = 300_000;

export interface LoadedWarehouse {
  clickhouse: ClickHouseClient;
  /** As analysts see it, who may only read. */
  analyst: ClickHouseClient;
  warehouse: Warehouse;
}

/** A warehouse that holds this history, in a database that only this file uses, removed afterwards. */
export function useLoadedWarehouse(history: readonly RecordedEvent[], batch = 250): LoadedWarehouse {
  const loaded = {} as LoadedWarehouse;
  const database = `loaded_${randomUUID().slice(0, 8)}`;

  beforeAll(async () => {
    const url = process.env.ATTEST_TEST_CLICKHOUSE_URL ?? (await sharedClickHouse());
    const root = createClient({ url });
    await root.command({ query: `CREATE DATABASE ${database}` });
    await root.close();
    const log = { level: ClickHouseLogLevel.OFF }; // what fails is told to the test
    const clickhouse = createClient({ url, database, request_timeout: PATIENCE, log });
    const analyst = createClient({ url, database, username: 'analyst', log });
    Object.assign(loaded, { clickhouse, analyst, warehouse: new Warehouse(clickhouse, reportSql) });
    const loader = new WarehouseLoader(clickhouse, readMigrations());
    await loader.position();
    for (let at = 0; at < history.length; at += batch) {
      const events = history.slice(at, at + batch);
      await loader.apply({ events, position: events.at(-1)!.position, caughtUp: true });
    }
  });

  afterAll(async () => {
    await loaded.clickhouse.command({ query: `DROP DATABASE ${database}` });
    await loaded.clickhouse.close();
    await loaded.analyst.close();
  });
  return loaded;
}
