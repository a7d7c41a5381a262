import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { Warehouse, WarehouseLoader } from '../../../infra/clickhouse';
import { type ChildEngine, startEngineProcess } from '../../../infra/embedded';
import type { RecordedEvent } from '../../../packages/eventsourcing';
import { readMigrations, reportSql } from '../../../projections/clickhouse';

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
  let engine: ChildEngine | undefined;
  let dataDir: string | undefined;

  beforeAll(async () => {
    const given = process.env.ATTEST_TEST_CLICKHOUSE_URL;
    if (!given) {
      dataDir = await mkdtemp(join(tmpdir(), 'attest-loaded-'));
      engine = await startEngineProcess('clickhouse', { dataDir, port: 0 });
    }
    const url = given ?? engine!.url;
    const database = `loaded_${randomUUID().slice(0, 8)}`;
    const root = createClient({ url });
    await root.command({ query: `CREATE DATABASE ${database}` });
    await root.close();
    const clickhouse = createClient({ url, database, request_timeout: PATIENCE });
    const analyst = createClient({ url, database, username: 'analyst' });
    Object.assign(loaded, { clickhouse, analyst, warehouse: new Warehouse(clickhouse, reportSql) });
    const loader = new WarehouseLoader(clickhouse, readMigrations());
    await loader.position();
    for (let at = 0; at < history.length; at += batch) {
      const events = history.slice(at, at + batch);
      await loader.apply({ events, position: events.at(-1)!.position, caughtUp: true });
    }
  });

  afterAll(async () => {
    await loaded.clickhouse.close();
    await loaded.analyst.close();
    await engine?.close();
    if (dataDir) await rm(dataDir, { recursive: true });
  });
  return loaded;
}
