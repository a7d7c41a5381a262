import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { verifyLog } from '../../apps/audit/verify';
import { eventCatalog } from '../../apps/shared/event-catalog';
import { startEventStore } from '../../infra/embedded/eventstore';
import { EventStoreDb } from '../../infra/eventstore';
import { auditLogDecider } from '../../packages/audit';
import { CommandPipeline } from '../../packages/eventsourcing';
import {
  fingerprint,
  KeyRing,
  LOG_SEALED,
  LogVerification,
  nextSeal,
  type Seal,
  SealKey,
  sealStream,
  type StoredEvent,
  type TenantVerdict,
} from '../../packages/evidence';
import { seededMoments } from './seeded-moments';
import { type Draw, type LogRecord, recordOf, TamperedLog, type Tampering } from './tamperings';

const { ATTEST_TEST_FULL_SIZE, ATTEST_TEST_TAMPERING_SEED = 'tampering' } = process.env;
const { ATTEST_TEST_TAMPERINGS = ATTEST_TEST_FULL_SIZE ? '1000' : '250' } = process.env;
const TENANT = 'acme';
/** Events between two seals, and how many seals there are. */
const [RANGE, SEALS] = [16, 5];

/** The same numbers for the same seed. */
function drawFrom(seed: string): Draw {
  const numbers = seededMoments(seed, 64, 2 ** 32)[Symbol.iterator]();
  return (limit) => numbers.next().value! % limit;
}

describe('A stored log that was tampered with behind the back of its engine', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attest-tampering-'));
  const whole = join(folder, 'whole');
  const keys = new KeyRing([SealKey.generate()]);
  let records: readonly LogRecord[];
  let kept: Seal;

  const anchors = (): { trusted: KeyRing['trusted']; kept: ReadonlyMap<string, Seal> } => {
    return { trusted: keys.trusted, kept: new Map([[TENANT, kept]]) };
  };

  /** What is found when the log gives these records. */
  function verdictOn(given: readonly LogRecord[]): TenantVerdict {
    const { trusted } = anchors();
    const verification = new LogVerification((tenant) => ({ trusted, kept: anchors().kept.get(tenant) }), [TENANT]);
    for (const { event } of given) {
      if (event === null) {
        verification.unreadable('it cannot be decoded');
        break;
      }
      if (event) verification.accept(event);
    }
    return verification.finish().find(({ tenant }) => tenant === TENANT)!;
  }

  /** What is found when the engine has these records in its files, through the official client. */
  async function verdictThroughEngine(given: readonly LogRecord[]): Promise<TenantVerdict> {
    const dataDir = mkdtempSync(join(folder, 'tampered-'));
    cpSync(whole, dataDir, { recursive: true });
    await withLog(dataDir, (log) => {
      for (const key of [...log.getKeys()]) log.removeSync(key);
      for (const { key, raw } of given) log.putSync(keyOf(key), raw);
    });
    const engine = await startEventStore({ dataDir, port: 0 });
    const store = new EventStoreDb(engine.url, eventCatalog);
    try {
      for await (const step of verifyLog(store, { tenant: TENANT }, anchors())) {
        if ('result' in step) return step.result.tenants[0]!;
      }
      throw new Error('the verification had no result');
    } finally {
      store.close();
      await engine.close();
    }
  }

  beforeAll(async () => {
    const engine = await startEventStore({ dataDir: whole, port: 0 });
    const store = new EventStoreDb(engine.url, eventCatalog);
    const pipeline = new CommandPipeline(store, eventCatalog);
    const at = '2026-03-01T00:00:00.000Z';
    let events = 0;
    let last: Seal | undefined;
    for (let seal = 0; seal < SEALS; seal++) {
      for (let i = 0; i < RANGE; i++, events++) {
        const consultation = `consultation-${events}`;
        const data = {
          day: `2026-03-0${1 + (events % 5)}`,
          consultation,
          request: 'GET /v1/audit/why',
          parameters: {},
        };
        const ids = { commandId: consultation, correlationId: consultation, causationId: consultation };
        const actor = { sub: 'carla', roles: ['compliance'], via: 'http' };
        const command = { type: 'RecordConsultation', at, data } as const;
        await pipeline.handle(auditLogDecider, command, { tenant: TENANT, actor, ...ids });
      }
      const leaves = (await storedIn(store)).slice(-RANGE).map((each) => fingerprint(each).witness);
      const next = nextSeal(TENANT, last, leaves, keys, at);
      const event = { id: crypto.randomUUID(), type: LOG_SEALED, data: next, metadata: { tenant: TENANT } };
      await store.append(sealStream(TENANT), [event], seal === 0 ? 'no-stream' : seal - 1);
      last = { body: next.body, signatures: next.signatures };
    }
    kept = last!;
    store.close();
    await engine.close();
    records = await withLog(whole, (log) =>
      [...log.getRange({})].map(({ key, value }) => recordOf(positionOf(key as Buffer), Buffer.from(value as Buffer))),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function nextTampering(n: number): Tampering {
    for (let tries = 0; ; tries++) {
      const log = new TamperedLog(records);
      const tampering = log.tamper(drawFrom(`${ATTEST_TEST_TAMPERING_SEED} ${n} ${tries}`));
      if (tampering) return tampering;
    }
  }

  it('given nothing, then nothing is found', async () => {
    expect(verdictOn(records)).toMatchObject({ ok: true, events: RANGE * SEALS, seals: SEALS, unsealed: 0 });
    expect(await verdictThroughEngine(records)).toEqual(verdictOn(records));
  });

  it(`given ${ATTEST_TEST_TAMPERINGS} tamperings, then each is found where it is`, () => {
    const missed: object[] = [];
    for (let n = 0; n < Number(ATTEST_TEST_TAMPERINGS); n++) {
      const { what, records: tampered, from, to, kinds } = nextTampering(n);
      const { first } = verdictOn(tampered);
      const isPlaced = first && BigInt(first.position) >= from && BigInt(first.position) <= to;
      if (!isPlaced || !kinds.includes(first.kind))
        missed.push({ n, what, from: `${from}`, to: `${to}`, kinds, first });
    }
    expect(missed).toEqual([]);
  });

  it.each(['flip', 'drop', 'swap', 'insert', 'resign', 'truncate'] as const)(
    'given the same in the files of the engine, then it finds the same through the client: %s',
    async (kind) => {
      const readable = (): Tampering => {
        for (let n = 0; ; n++) {
          const tampering = new TamperedLog(records)[kind](drawFrom(`${ATTEST_TEST_TAMPERING_SEED} engine ${n}`));
          if (tampering?.records.every(({ event }) => event)) return tampering;
        }
      };
      const { records: tampered } = readable();
      expect(await verdictThroughEngine(tampered)).toEqual(verdictOn(tampered));
      expect(verdictOn(tampered).ok).toBe(false);
    },
  );
});

async function storedIn(store: EventStoreDb): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const batch of store.subscribeToStored({ streamPrefixes: [`${TENANT}.auditlog-`] })) {
    events.push(...batch.events);
    if (batch.caughtUp) break;
  }
  return events;
}

type LogTable = ReturnType<ReturnType<typeof open<Buffer, Buffer>>['openDB']>;

/** Opens the table of a stopped engine. */
async function withLog<T>(dataDir: string, work: (log: LogTable) => T): Promise<T> {
  const binary = { encoding: 'binary', keyEncoding: 'binary' } as const;
  const env = open<Buffer, Buffer>(join(dataDir, 'events.mdb'), { ...binary, noSubdir: true, overlappingSync: false });
  const done = env.transactionSync(() => work(env.openDB<Buffer, Buffer>('log', binary)));
  await env.close();
  return done;
}

function positionOf(key: Buffer): bigint {
  return Buffer.from(key).readBigUInt64BE();
}

function keyOf(position: bigint): Buffer {
  const key = Buffer.alloc(8);
  key.writeBigUInt64BE(position);
  return key;
}
