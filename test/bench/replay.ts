/**
 * What the audit reads the log with, against a raw read of the same events by the official client, in one process, on one engine, one
 * after the other.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EventStoreDBClient, START } from '@eventstore/db-client';
import { importOulad } from '../../apps/attest/import/oulad';
import { replay } from '../../apps/audit/replay';
import { type VerificationResult, verifyLog } from '../../apps/audit/verify';
import { eventCatalog } from '../../apps/shared/event-catalog';
import { startEngineProcess } from '../../infra/embedded/child';
import { EventStoreDb } from '../../infra/eventstore';
import { LocalMasterKeys } from '../../infra/keys';
import { CommandPipeline } from '../../packages/eventsourcing';
import {
  fingerprint,
  KeyRing,
  LOG_SEALED,
  nextSeal,
  type Seal,
  SealKey,
  sealedTenant,
  sealStream,
  type Witness,
} from '../../packages/evidence';
import { PipelineDoor } from '../e2e/pipeline-door';
import { misses, table } from './engines';
import { thisMachine } from './load';
import type { BenchResult } from './mongo';

const DATA = join(__dirname, '..', '..', '..', 'test', 'fixtures', 'oulad');
const RUNS = 5;
const EVENTS_OF_A_SEAL = 1_000;

/** Measures and prints. Gives the exit code: 1 when a floor is missed. */
export async function benchReplay({ quick, json }: { quick: boolean; json: boolean }): Promise<number> {
  const result = await measure(quick ? 6 : 30, (step) => process.stderr.write(`replay: ${step} ...\n`));
  const missed = misses(result);
  const command = `npm run bench -- replay${quick ? ' --quick' : ''} --json`;
  const report = { machine: thisMachine(), command, at: new Date().toISOString(), result, missed };
  process.stdout.write(json ? `${JSON.stringify(report, null, 2)}\n` : table(result));
  return missed.length > 0 ? 1 : 0;
}

/** @param tenants each has the events of the sample data */
async function measure(tenants: number, report: (step: string) => void): Promise<BenchResult> {
  const dataDir = await mkdtemp(join(tmpdir(), 'attest-bench-replay-'));
  const engine = await startEngineProcess('eventstore', { dataDir, port: 0 });
  const store = new EventStoreDb(
    engine.url,
    eventCatalog,
    new LocalMasterKeys([{ id: 'bench', key: randomBytes(32) }]),
  );
  const client = EventStoreDBClient.connectionString(engine.url);
  const keys = new KeyRing([SealKey.generate()]);
  try {
    report('writing the log');
    for (let n = 0; n < tenants; n++) {
      const tenant = `t${n}`;
      const door = new PipelineDoor(new CommandPipeline(store, eventCatalog), tenant);
      await importOulad(door, tenant, DATA, () => undefined);
    }
    await seal(store, keys);
    const figures: Record<string, number> = {};
    const best = (figure: string, value: number): void =>
      void (figures[figure] = Math.max(figures[figure] ?? 0, value));
    for (let run = 0; run < RUNS; run++) {
      report(`reading it, ${run + 1} of ${RUNS}`);
      best('rawPerSecond', await rate(() => rawRead(client)));
      best('replayPerSecond', await rate(async () => (await replay(store, {}, '2015-01-01', { timeline: 0 })).events));
      best('verifyPerSecond', await rate(async () => (await verified(store, keys)).read));
    }
    figures.events = await rawRead(client);
    figures.replayToRaw = figures.replayPerSecond! / figures.rawPerSecond!;
    figures.verifyToRaw = figures.verifyPerSecond! / figures.rawPerSecond!;
    return { name: 'replay', figures, floors: { replayToRaw: 0.5, verifyToRaw: 0.5 } };
  } finally {
    store.close();
    await client.dispose();
    await engine.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function rawRead(client: EventStoreDBClient): Promise<number> {
  let events = 0;
  for await (const { event } of client.readAll({ fromPosition: START, maxCount: Number.MAX_SAFE_INTEGER })) {
    if (event && !event.streamId.startsWith('$')) events++;
  }
  return events;
}

async function verified(store: EventStoreDb, keys: KeyRing): Promise<VerificationResult> {
  for await (const step of verifyLog(store, 'everything', { trusted: keys.trusted, kept: new Map() })) {
    if (!('result' in step)) continue;
    if (!step.result.ok) throw new Error(`the log does not verify: ${JSON.stringify(step.result.tenants)}`);
    return step.result;
  }
  throw new Error('the verification had no result');
}

/** Seals all that stands in the log, as the sealer does. */
async function seal(store: EventStoreDb, keys: KeyRing): Promise<void> {
  const leaves = new Map<string, Witness[]>();
  for await (const { events, caughtUp } of store.subscribeToStored({ maxBatch: 5_000 })) {
    for (const event of events) {
      const tenant = sealedTenant(event.stream);
      if (tenant) leaves.set(tenant, [...(leaves.get(tenant) ?? []), fingerprint(event).witness]);
    }
    if (caughtUp) break;
  }
  for (const [tenant, all] of leaves) {
    let last: Seal | undefined;
    for (let from = 0; from < all.length; from += EVENTS_OF_A_SEAL) {
      const at = new Date().toISOString();
      const { body, signatures, witness } = nextSeal(tenant, last, all.slice(from, from + EVENTS_OF_A_SEAL), keys, at);
      const event = {
        id: crypto.randomUUID(),
        type: LOG_SEALED,
        data: { body, signatures, witness },
        metadata: { tenant },
      };
      await store.append(sealStream(tenant), [event], last ? last.body.number : 'no-stream');
      last = { body, signatures };
    }
  }
}

/** Per second. */
async function rate(work: () => Promise<number>): Promise<number> {
  const start = performance.now();
  const count = await work();
  return (count * 1000) / (performance.now() - start);
}
