import { type ClickHouseClient, createClient } from '@clickhouse/client';
import type { SplitStack } from '../../split/split-stack';
import type { ReadModelAnswer } from '../../../apps/projector/projections.controller';
import { mongoProjections } from '../../../projections';
import { until } from '../../e2e/until';
import { runJob } from './job';
import type { Part } from './part';
import { startProduction } from './production';
import { settled } from './settled';

const TENANT = 'bench';
const PATIENCE = 1_800_000;

/**
 * Every read model anew from the log, and the whole warehouse; against the time in which the official clients read the same log and insert the
 * same documents and rows.
 */
export const rebuild: Part = async ({ quick, report }) => {
  const enough = quick ? 10_000 : 200_000;
  const stack = await startProduction({ services: ['assessment', 'projector', 'audit'] });
  const clickhouse = createClient({ url: stack.url('clickhouse') });
  try {
    const token = await stack.token({ sub: 'admin', tenant: TENANT, roles: ['admin'] });
    const fill = { kind: 'bulk-commands', url: stack.url('assessment'), token, connections: 4, lines: 1_000 } as const;
    for (let sent = 0; sent < enough;) sent += (await runJob({ ...fill, seconds: 3 })).timing.count;
    await settled(stack, TENANT);
    const reads = await runJob({ kind: 'raw-reads', url: stack.url('eventstore') });
    const events = reads.timing.count;
    report(`${events} events; raw read ${Math.round(reads.timing.perSecond)}/s`);
    const readSeconds = events / reads.timing.perSecond;

    const mongoSeconds = await rebuildReadModels(stack);
    report(`read models: ${Math.round(events / mongoSeconds)}/s`);
    const collections = (await readModels(stack)).map(({ active }) => active.collection);
    const documents = (await runJob({ kind: 'raw-documents', url: stack.url('mongodb'), collections })).timing;
    const rawMongoSeconds = readSeconds + documents.count / documents.perSecond;

    await settled(stack, TENANT);
    const rows = (await runJob({ kind: 'raw-rows', url: stack.url('clickhouse') })).timing;
    const rawClickhouseSeconds = readSeconds + rows.count / rows.perSecond;
    const clickhouseSeconds = await rebuildWarehouse(stack, clickhouse);
    report(`warehouse: ${Math.round(events / clickhouseSeconds)}/s`);
    return {
      name: 'rebuild',
      figures: {
        events,
        rawReadPerSecond: reads.timing.perSecond,
        rawDocumentsPerSecond: documents.perSecond,
        rawRowsPerSecond: rows.perSecond,
        mongoPerSecond: events / mongoSeconds,
        clickhousePerSecond: events / clickhouseSeconds,
        mongoToRaw: rawMongoSeconds / mongoSeconds,
        clickhouseToRaw: rawClickhouseSeconds / clickhouseSeconds,
      },
      floors: ['mongoToRaw', 'clickhouseToRaw'].map((figure) => ({ figure, atLeast: 0.3, aim: 0.5 })),
    };
  } finally {
    await clickhouse.close();
    await stack.stop();
  }
};

/** As `attest projections rebuild --all`, up to the switch. In seconds. */
async function rebuildReadModels(stack: SplitStack): Promise<number> {
  const projector = await stack.as('admin', 'projector', TENANT);
  const since = performance.now();
  for (const { name } of mongoProjections) {
    const asked = await fetch(new URL(`/v1/projections/${name}/rebuild`, projector.url), {
      method: 'POST',
      headers: { authorization: `Bearer ${projector.token}` },
    });
    if (!asked.ok) throw new Error(`${name} is not rebuilt: ${await asked.text()}`);
  }
  // Rests between looks as `attest projections rebuild` does: whoever looks takes of the time of those who build.
  const isBuilt = async (): Promise<boolean> => (await readModels(stack)).every(({ building }) => building === null);
  await until(isBuilt, PATIENCE, 100);
  return (performance.now() - since) / 1000;
}

async function readModels(stack: SplitStack): Promise<ReadModelAnswer[]> {
  const projector = await stack.as('admin', 'projector', TENANT);
  return Promise.all(mongoProjections.map(({ name }) => projector.read<ReadModelAnswer>(`/v1/projections/${name}`)));
}

/** Every table is dropped while the projector is away; counts from when it has made them again. In seconds. */
async function rebuildWarehouse(stack: SplitStack, clickhouse: ClickHouseClient): Promise<number> {
  const log = await settled(stack, TENANT);
  const projector = stack.process('projector');
  await projector.hold();
  const tables = await clickhouse.query({ query: 'SHOW TABLES', format: 'JSONEachRow' });
  for (const { name } of await tables.json<{ name: string }>()) {
    await clickhouse.command({ query: `DROP TABLE ${name} SYNC` });
  }
  const released = projector.release();
  const isMade = async (): Promise<boolean> => {
    const answer = await clickhouse.query({ query: `EXISTS watermarks`, format: 'JSONEachRow' });
    return (await answer.json<{ result: number }>())[0]!.result === 1;
  };
  await until(isMade, PATIENCE);
  const since = performance.now();
  await until(async () => (await reached(clickhouse)) >= BigInt(log), PATIENCE);
  const seconds = (performance.now() - since) / 1000;
  await released;
  return seconds;
}

async function reached(clickhouse: ClickHouseClient): Promise<bigint> {
  const query = `SELECT toString(min(reached)) AS reached FROM (SELECT name, max(position) AS reached FROM watermarks GROUP BY name)`;
  const answer = await clickhouse.query({ query, format: 'JSONEachRow' });
  return BigInt((await answer.json<{ reached: string }>())[0]!.reached);
}
