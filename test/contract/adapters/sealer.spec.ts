import { jsonEvent } from '@eventstore/db-client';
import pino from 'pino';
import { verifyLog } from '../../../apps/audit/verify';
import { Sealer } from '../../../apps/projector/sealer';
import { eventCatalog } from '../../../apps/shared/event-catalog';
import { SealLedger } from '../../../infra/mongo';
import { CommandPipeline } from '../../../packages/eventsourcing';
import { KeyRing, parseSeal, type Seal, SealKey, sealStream, type TenantVerdict } from '../../../packages/evidence';
import { until } from '../../e2e/until';
import { server } from '../mongo/harness';
import { attestStore, contextOf, newTenant } from './attest-store';
import { sendCommand } from './command-door';

const used = attestStore();
const mongo = server();
const key = SealKey.generate();
let database = 0;

/** A tenant on the shared log, and sealers that remember in a database of their own. */
function setUp() {
  const tenant = newTenant();
  const ledger = new SealLedger(mongo.client.db(`${mongo.db.databaseName}_sealer_${database++}`));
  const pipeline = new CommandPipeline(used.store, eventCatalog);
  const problems: string[] = [];
  const log = pino({ level: 'error' }, { write: (line: string) => void problems.push(line) });
  const running: { stopping: AbortController; ended: Promise<void> }[] = [];
  let drafted = 0;
  return {
    tenant,
    ledger,
    problems,
    start: (everyEvents: number, ring = new KeyRing([key])): void => {
      // Others' tenants of the same log would be sealed too, if time alone were enough.
      const sealer = new Sealer(used.store, ledger, { everyEvents, everySeconds: 3_600, keys: () => ring, log });
      const stopping = new AbortController();
      running.push({ stopping, ended: sealer.run(stopping.signal) });
    },
    stop: async (): Promise<void> => {
      for (const { stopping } of running) stopping.abort();
      await Promise.all(running.splice(0).map(({ ended }) => ended));
    },
    draft: async (count: number): Promise<void> => {
      for (const last = drafted + count; drafted < last; drafted++) {
        const data = { course: `c${drafted % 7}`, title: `Title ${drafted}` };
        await sendCommand(pipeline, { type: 'DraftCourse', data, at: '2026-01-01T00:00:00Z' }, contextOf(tenant));
      }
    },
    seals: async (): Promise<Seal[]> => {
      const found: Seal[] = [];
      for await (const { events, caughtUp } of used.store.subscribeToStored({ streamPrefix: sealStream(tenant) })) {
        found.push(...events.map(({ data }) => parseSeal(data)));
        if (caughtUp) break;
      }
      return found;
    },
    verdict: async (trusted = new KeyRing([key]).trusted): Promise<TenantVerdict> => {
      for await (const line of verifyLog(used.store, { tenant }, { trusted, kept: await ledger.newest() })) {
        if ('result' in line) return line.result.tenants[0]!;
      }
      throw new Error('no result');
    },
  };
}

describe('the sealer', () => {
  it('seals after so many events, and says nothing of the rest', async () => {
    const { start, stop, draft, seals, verdict } = setUp();
    await draft(25);
    start(10);
    await until(async () => (await seals()).length === 2);
    await stop();
    expect((await seals()).map(({ body: { number, from, size } }) => [number, from, size])).toEqual([
      [0, 0, 10],
      [1, 10, 20],
    ]);
    expect(await verdict()).toMatchObject({ ok: true, events: 25, seals: 2, unsealed: 5, trusted: true });
  });

  it('goes on where another stopped', async () => {
    const { start, stop, draft, seals, verdict } = setUp();
    await draft(15);
    start(10);
    await until(async () => (await seals()).length === 1);
    await stop();
    await draft(15);
    start(10);
    await until(async () => (await seals()).length === 3);
    await stop();
    expect(await verdict()).toMatchObject({ ok: true, events: 30, seals: 3, unsealed: 0 });
  });

  it('shares the work with others without a gap or a doubled event', async () => {
    const { start, stop, draft, seals, verdict } = setUp();
    for (let n = 0; n < 3; n++) start(5);
    await draft(100);
    await until(async () => (await seals()).at(-1)?.body.size === 100);
    await stop();
    expect((await seals()).map(({ body }) => body.size)).toEqual(Array.from({ length: 20 }, (_, n) => (n + 1) * 5));
    expect(await verdict()).toMatchObject({ ok: true, events: 100, seals: 20, unsealed: 0 });
  });

  it('leaves out what Attest did not write, which verification then names', async () => {
    const { tenant, start, stop, draft, seals, verdict } = setUp();
    await draft(3);
    await used.server.client.appendToStream(`${tenant}.course-foreign`, [jsonEvent({ type: 'Foreign', data: {} })]);
    await draft(7);
    start(10);
    await until(async () => (await seals()).length === 1);
    await stop();
    expect(await verdict()).toMatchObject({
      findings: 1,
      first: { kind: 'inserted', stream: `${tenant}.course-foreign` },
    });
  });

  it('hands over to a new key, which the old one signs', async () => {
    const { start, stop, draft, seals, verdict } = setUp();
    await draft(10);
    start(10);
    await until(async () => (await seals()).length === 1);
    await stop();
    const next = SealKey.generate();
    await draft(10);
    start(10, new KeyRing([next, key]));
    await until(async () => (await seals()).length === 2);
    await stop();
    expect(await verdict()).toMatchObject({ ok: true, keys: [key.kid, next.kid] });
    expect(await verdict([next.publicKey])).toMatchObject({ ok: true });
  });

  it.each<[string, (context: ReturnType<typeof setUp>) => Promise<KeyRing | undefined>, RegExp]>([
    ['that somebody else signed', () => Promise.resolve(new KeyRing([SealKey.generate()])), /not signed with a key/],
    [
      'that is older than the one that was kept',
      async ({ ledger, seals }) => {
        const [{ body, signatures }] = (await seals()) as [Seal];
        await ledger.keep({ body: { ...body, number: 7 }, signatures });
        return undefined;
      },
      /seal 7 of \w+ was there and is gone/,
    ],
    [
      'that is another than the one that was kept',
      async ({ ledger, seals }) => {
        const [{ body, signatures }] = (await seals()) as [Seal];
        await ledger.keep({ body: { ...body, root: '' }, signatures });
        return undefined;
      },
      /not the one that was there/,
    ],
  ])('seals nothing behind a seal %s', async (_which, disturb, problem) => {
    const context = setUp();
    const { tenant, start, stop, draft, seals, problems } = context;
    await draft(10);
    start(10);
    await until(async () => (await seals()).length === 1);
    await stop();
    const ring = await disturb(context);
    await draft(10);
    start(10, ring);
    await until(() => problems.some((line) => line.includes(tenant) && problem.test(line)));
    await stop();
    expect(await seals()).toHaveLength(1);
  });
});
