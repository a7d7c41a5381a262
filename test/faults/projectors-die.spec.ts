import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { Report } from '../../apps/reports/reports.controller';
import type { CourseOutcomes } from '../../projections/expected-reports';
import { attempted, newTenant } from '../e2e/records';
import { useOwnStack } from '../e2e/running-stack';
import { until } from '../e2e/until';

const ROOT = join(__dirname, '..', '..');
const SENDERS = 4;
/** Milliseconds that a sender rests between two commands: what it sends is counted, and who carries it changes meanwhile. */
const REST = 50;

describe('Projectors that share the work', () => {
  const projectors: ChildProcess[] = [];
  let client: MongoClient;

  afterEach(() => Promise.all(projectors.splice(0).map(end)));
  // Before the stack ends: a client that ends after its server looks for it for half a minute.
  afterAll(() => client.close());
  const used = useOwnStack();
  beforeAll(async () => {
    client = await MongoClient.connect(used.stack.urls.mongodb);
  });

  function startProjector(): ChildProcess {
    const { eventstore, mongodb, clickhouse } = used.stack.urls;
    const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('ATTEST_'));
    const env = {
      ...Object.fromEntries(inherited),
      ATTEST_EVENTSTORE_URL: eventstore,
      ATTEST_MONGODB_URL: mongodb,
      ATTEST_CLICKHOUSE_URL: clickhouse,
      ATTEST_MASTER_KEY: readFileSync(join(used.stack.data, 'master-keys'), 'utf8').trim(),
      ATTEST_ISSUER: 'nobody',
      ATTEST_JWKS_URL: 'http://127.0.0.1:9/jwks',
      ATTEST_HOST: '127.0.0.1',
      ATTEST_PORT: '0',
      ATTEST_LOG: 'silent',
    };
    const projector = spawn(process.execPath, [join(ROOT, 'dist/apps/projector/main.js')], { env, stdio: 'inherit' });
    projectors.push(projector);
    return projector;
  }

  async function end(projector: ChildProcess): Promise<void> {
    if (projector.exitCode !== null || projector.signalCode !== null) return;
    const ended = once(projector, 'exit');
    projector.kill('SIGKILL');
    await ended;
  }

  it('when one is killed and one sleeps and wakes, then each event is applied once', async () => {
    const db = client.db();
    interface Lease {
      _id: string;
      owner: string;
      process?: { pid: number };
    }
    /** Names of what each living process holds, by its id. */
    const holdings = async (): Promise<Map<number, string[]>> => {
      const leases = await db.collection<Lease>('leases').find().toArray();
      const runners = leases.filter(({ process }) => process !== undefined);
      const heldBy = (owner: string): string[] =>
        leases.filter((lease) => lease.owner === owner && lease.process === undefined).map(({ _id }) => _id);
      return new Map(runners.map(({ owner, process }) => [process!.pid, heldBy(owner)]));
    };
    const holds = async ({ pid }: ChildProcess): Promise<number> => (await holdings()).get(pid!)?.length ?? 0;

    const [killed, sleeping] = [startProjector(), startProjector()];
    await until(async () => (await holds(killed)) >= 4 && (await holds(sleeping)) >= 4, 120_000);

    const tenant = newTenant();
    const admin = await used.stack.as('admin', { tenant });
    const sent: string[] = [];
    let sending = true;
    const send = async (): Promise<void> => {
      for (const person = randomUUID(); sending;) {
        const attempt = attempted(person, 'safety', 50);
        await admin.command('record-attempt', attempt);
        sent.push(attempt.attempt);
        await delay(REST);
      }
    };
    const senders = Array.from({ length: SENDERS }, send);
    const untilMore = async (): Promise<void> => {
      const before = sent.length;
      await until(() => sent.length >= before + 50, 120_000);
    };
    await untilMore();
    await end(killed);
    await until(async () => (await holds(killed)) === 0 && (await holds(sleeping)) >= 6, 120_000);
    await untilMore();
    sleeping.kill('SIGSTOP');
    // Counted by themselves: what the killed one held may still be on its way to its next holder.
    const all = await db.collection('leases').countDocuments({ process: { $exists: false } });
    await until(async () => (await holdings()).get(used.stack.pid)!.length === all, 120_000);
    await untilMore();
    sleeping.kill('SIGCONT');
    await until(async () => (await holds(sleeping)) >= 6, 120_000);
    await untilMore();
    sending = false;
    await Promise.all(senders);

    const position = await admin.settled();
    const { rows } = await admin.read<Report<CourseOutcomes>>('/v1/reports/course-outcomes', {
      minPosition: position,
    });
    expect(rows).toMatchObject([{ course: 'safety', attempts: sent.length }]);
    const compliance = await used.stack.as('compliance', { tenant });
    const { check } = await compliance.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
    expect(check).toMatchObject({ ok: true, differences: [] });
  }, 400_000);
});
