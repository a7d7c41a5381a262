import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { EventStoreDBClient } from '@eventstore/db-client';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { Report } from '../../apps/reports/reports.controller';
import type { CourseOutcomes } from '../../projections/expected-reports';
import type { ApiClient } from './api-client';
import { attempted, newTenant } from './records';
import { useOwnStack } from './running-stack';
import { until } from './until';

const RETRY_AFTER = 20;
const SENDERS = 8;

describe('Engines that die', () => {
  const used = useOwnStack();

  /** Sends the command with its id until it is accepted, as a learning app must. Gives how often it was tried. */
  async function insist(client: ApiClient, command: string, data: object, id: string): Promise<number> {
    for (let tries = 1; ; tries++) {
      const { status, body } = await client.send(command, data, { 'idempotency-key': id });
      if (status === 200) return tries;
      if (status < 500) throw new Error(`${command} was refused: ${JSON.stringify(body)}`);
      await delay(RETRY_AFTER);
    }
  }

  it.each(['eventstore', 'mongodb', 'clickhouse', 'nats-server'])(
    'given commands that are retried until accepted, when %s is killed, then each is there exactly once',
    async (engine) => {
      const tenant = newTenant();
      const admin = await used.stack.as('admin', { tenant });
      const sent: string[] = [];
      let sending = true;
      const send = async (): Promise<void> => {
        while (sending) {
          const attempt = attempted(randomUUID(), 'safety', 50);
          await insist(admin, 'record-attempt', attempt, `attempt:${attempt.attempt}`);
          sent.push(attempt.attempt);
        }
      };
      const senders = Array.from({ length: SENDERS }, send);
      await until(() => sent.length >= 50);

      const victim = used.stack.engines().find(({ command }) => command.includes(engine))!;
      process.kill(victim.pid, 'SIGKILL');
      const isBack = (): boolean =>
        used.stack.engines().some(({ pid, command }) => pid !== victim.pid && command.includes(engine));
      await until(isBack);
      const atReturn = sent.length;
      await until(() => sent.length >= atReturn + 100);
      sending = false;
      await Promise.all(senders);

      const position = await settled(admin);
      expect(await attemptsInTheLog(tenant)).toEqual([...sent].sort());
      const { rows } = await admin.read<Report<CourseOutcomes>>('/v1/reports/course-outcomes', {
        minPosition: position,
      });
      expect(rows).toEqual([expect.objectContaining({ course: 'safety', attempts: sent.length, passed: sent.length })]);
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

  async function attemptsInTheLog(tenant: string): Promise<string[]> {
    const store = EventStoreDBClient.connectionString(used.stack.urls.eventstore);
    const attempts: string[] = [];
    for await (const { event } of store.readAll()) {
      const data = event?.data as { attempt?: string } | undefined;
      if (event?.streamId.startsWith(`${tenant}.attempt-`)) attempts.push(data!.attempt!);
    }
    await store.dispose();
    return attempts.sort();
  }
});
