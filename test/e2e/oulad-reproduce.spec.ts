import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { countOulad, importOulad } from '../../apps/attest/import/oulad';
import { Reproduction, type ReproductionRequest } from '../../apps/audit/reproduction';
import { eventCatalog } from '../../apps/shared/event-catalog';
import { chunksOf } from '../../infra/at-once';
import { Warehouse, WarehouseLoader } from '../../infra/clickhouse';
import { type ChildEngine, startEngineProcess } from '../../infra/embedded/child';
import { EventStoreDb } from '../../infra/eventstore';
import { LocalMasterKeys } from '../../infra/keys';
import { CommandPipeline } from '../../packages/eventsourcing';
import { readMigrations, reportSql } from '../../projections/clickhouse';
import { projectionVersion, reportDigest } from '../../projections/clickhouse/report-digest';
import { fixtureSlice } from './fixture-slice';
import { PipelineDoor } from './pipeline-door';
import { temporaryFolder } from './running-stack';

const { ATTEST_TEST_DATA, ATTEST_TEST_FULL_IMPORT, ATTEST_TEST_FULL_SIZE } = process.env;
/** The whole data takes minutes: it is asked for by a variable of its own, as its import is. */
const isFull = Boolean(ATTEST_TEST_FULL_IMPORT && ATTEST_TEST_DATA);
const MINUTES = 60_000;
/** Commands at once; between them a report may be asked. */
const PIECE = isFull ? 2_000 : 50;
const TENANT = 'ou';
/** Within the presentations of the data, which begin in February and October of 2013 and 2014. */
const DATES = [
  ...['2013-03-31', '2013-06-30', '2013-09-30', '2013-11-30', '2014-01-31'],
  ...['2014-03-31', '2014-05-31', '2014-07-31', '2014-10-31', '2015-06-30'],
];

describe(`The log of the ${isFull ? 'whole OULAD data' : 'sample of the OULAD data'}`, () => {
  const data = temporaryFolder();
  const folder = isFull ? join(ATTEST_TEST_DATA!, 'oulad') : fixtureSlice('oulad');
  let engines: ChildEngine[];
  let store: EventStoreDb;
  let clickhouse: ClickHouseClient;

  beforeAll(async () => {
    const start = (name: 'eventstore' | 'clickhouse'): Promise<ChildEngine> =>
      startEngineProcess(name, { dataDir: join(data, name), port: 0 });
    engines = await Promise.all([start('eventstore'), start('clickhouse')]);
    store = new EventStoreDb(
      engines[0]!.url,
      eventCatalog,
      new LocalMasterKeys([{ id: 'test', key: randomBytes(32) }]),
    );
    clickhouse = createClient({ url: engines[1]!.url });
  });
  afterAll(async () => {
    await clickhouse.close();
    store.close();
    for (const engine of engines) await engine.close();
    rmSync(data, { recursive: true });
    if (!isFull) rmSync(folder, { recursive: true });
  });

  /** Brings the warehouse up to the end of the log. Gives the position. */
  async function caughtUp(loader: WarehouseLoader): Promise<bigint> {
    const head = (await store.head())!;
    const { maxBatch } = loader.options;
    for await (const batch of store.subscribeToAll({ after: await loader.position(), maxBatch })) {
      await loader.apply(batch);
      if (batch.caughtUp || batch.position >= head) return head;
    }
    return head;
  }

  it(
    'given reports of ten dates, asked as the log grew, when they are made again, then each has the same digest',
    async () => {
      const pipeline = new CommandPipeline(store, eventCatalog);
      const loader = new WarehouseLoader(clickhouse, readMigrations());
      const warehouse = new Warehouse(clickhouse, reportSql);
      const saved: { request: ReproductionRequest; digest: string; rows: object[] }[] = [];
      const facts = await countOulad(folder);
      let sent = 0;
      const ask = async (): Promise<void> => {
        const upTo = await caughtUp(loader);
        const effective = `${DATES[saved.length]!}T23:59:59.999Z`;
        const [report, parameters] = ['course-outcomes', { tenant: TENANT }];
        const rows = await warehouse.report<object>(report, { ...parameters, asOf: effective, upTo });
        const asOf = { position: upTo.toString(), effective };
        const digest = reportDigest({ report, parameters, asOf, projection: projectionVersion(report), rows });
        saved.push({ request: { report, parameters, ...asOf }, digest, rows });
      };
      const door = new PipelineDoor(pipeline, TENANT);
      const growing = {
        async *bulk(commands: Parameters<PipelineDoor['bulk']>[0]) {
          for (const piece of chunksOf(PIECE, commands)) {
            if (sent >= ((saved.length + 1) * facts) / (DATES.length + 1)) await ask();
            yield* door.bulk(piece);
            sent += piece.length;
          }
        },
      };
      const summary = await importOulad(growing, TENANT, folder, () => undefined);
      expect(summary.facts).toMatchObject(
        isFull ? { sent: 249_170, refused: 9 } : { sent: ATTEST_TEST_FULL_SIZE ? 3_074 : 837 },
      );
      while (saved.length < DATES.length) await ask();

      const reproduction = new Reproduction(store, { clickhouse: engines[1]!.url } as never);
      const requests = saved.map(({ request }) => request);
      const reproduced = await reproduction.run(TENANT, requests, isFull ? 20 : 2);
      expect(reproduced.map(({ digest }) => digest)).toEqual(saved.map(({ digest }) => digest));
      expect(new Set(saved.map(({ digest }) => digest)).size).toBe(DATES.length);
      // What each report says now instead is explained by what was recorded since.
      for (const { position, restated } of reproduced) {
        const { steps, differences } = restated;
        expect(differences.length > 0).toBe(steps.length > 0);
        const places = [position, ...steps.flatMap(({ after, upTo }) => [after, upTo]), restated.position].map(BigInt);
        expect(places).toEqual([...places].sort((one, other) => (one < other ? -1 : one > other ? 1 : 0)));
      }
      expect(reproduced.filter(({ restated }) => restated.differences.length > 0).length).toBeGreaterThan(5);
    },
    isFull ? 60 * MINUTES : undefined,
  );
});
