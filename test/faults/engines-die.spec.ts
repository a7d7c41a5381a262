import { EventStoreDBClient } from '@eventstore/db-client';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { Report } from '../../apps/reports/reports.controller';
import type { CourseOutcomes } from '../../projections/expected-reports';
import { InsistentLoad } from '../split/insistent-load';
import type { ApiClient } from '../e2e/api-client';
import { newTenant } from '../e2e/records';
import { useOwnStack } from '../e2e/running-stack';
import { until } from '../e2e/until';

const LOAD = { senders: 8, rest: 20 };

describe('Engines that die', () => {
  const used = useOwnStack();

  it.each(['eventstore', 'mongodb', 'clickhouse', 'nats-server'])(
    'given commands that are retried until accepted, when %s is killed, then each is there exactly once',
    async (engine) => {
      const tenant = newTenant();
      const admin = await used.stack.as('admin', { tenant });
      const load = new InsistentLoad({ people: admin, assessment: admin, ...LOAD });
      load.start();
      await until(() => load.acknowledged >= 50);

      const victim = used.stack.engines().find(({ command }) => command.includes(engine))!;
      process.kill(victim.pid, 'SIGKILL');
      const isBack = (): boolean =>
        used.stack.engines().some(({ pid, command }) => pid !== victim.pid && command.includes(engine));
      await until(isBack);
      const atReturn = load.acknowledged;
      await until(() => load.acknowledged >= atReturn + 100);
      await load.stop();
      const { attempts, hires } = load;

      const position = await settled(admin);
      expect(await inTheLog(tenant, 'attempt')).toEqual([...attempts].sort());
      expect(await inTheLog(tenant, 'person')).toEqual([...hires].sort());
      const { rows } = await admin.read<Report<CourseOutcomes>>('/v1/reports/course-outcomes', {
        minPosition: position,
      });
      expect(rows).toEqual([
        expect.objectContaining({ course: 'safety', attempts: attempts.length, passed: attempts.length }),
      ]);
      const compliance = await used.stack.as('compliance', { tenant });
      const { check } = await compliance.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
      expect(check).toMatchObject({ ok: true, differences: [] });
    },
    400_000,
  );

  /** Like the client's own, but the engine may still be on its way back. */
  async function settled(client: ApiClient): Promise<string> {
    await until(async () => (await client.get('/v1/status')).status === 200);
    return client.settled();
  }

  /** Ids of what the streams of a category tell of, once for each event. */
  async function inTheLog(tenant: string, category: 'attempt' | 'person'): Promise<string[]> {
    const store = EventStoreDBClient.connectionString(used.stack.urls.eventstore);
    const ids: string[] = [];
    for await (const { event } of store.readAll()) {
      const data = event?.data as Record<string, string> | undefined;
      if (event?.streamId.startsWith(`${tenant}.${category}-`)) ids.push(data![category]!);
    }
    await store.dispose();
    return ids.sort();
  }
});
