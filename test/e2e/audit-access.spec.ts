import type { ExecutionContext } from '@nestjs/common';
import { EventStoreDb } from '../../infra/eventstore';
import { RecordsConsultations } from '../../apps/audit/audit-log';
import { eventCatalog } from '../../apps/shared/event-catalog';
import type { AuditLogEvent } from '../../packages/audit';
import type { CommandPipeline, RecordedEvent } from '../../packages/eventsourcing';
import { EventStoreUnavailableError } from '../../packages/eventsourcing';
import { newTenant } from './records';
import { useStack } from './running-stack';

const NOBODY = '0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c11';
/** What a request needs for its parameters to be valid; without an entry it is sent without any. */
const PATHS: Readonly<Record<string, string>> = { '/v1/audit/why/{id}': `/v1/audit/why/${NOBODY}` };

describe('Reads of the audit', () => {
  const used = useStack();

  async function auditLog(tenant: string): Promise<RecordedEvent<AuditLogEvent>[]> {
    const store = new EventStoreDb(used.stack.urls.eventstore, eventCatalog);
    const events: RecordedEvent<AuditLogEvent>[] = [];
    for await (const batch of store.subscribeToAll({ streamPrefix: `${tenant}.auditlog-` })) {
      events.push(...(batch.events as RecordedEvent<AuditLogEvent>[]));
      if (batch.caughtUp) break;
    }
    store.close();
    return events;
  }

  async function routes(): Promise<{ method: string; path: string }[]> {
    const { paths } = (await (await fetch(`${used.stack.urls.api}/openapi.json`)).json()) as {
      paths: Record<string, Record<string, { security?: unknown[] }>>;
    };
    return Object.entries(paths)
      .filter(([path]) => path.startsWith('/v1/audit/'))
      .flatMap(([path, operations]) =>
        Object.entries(operations)
          .filter(([, { security }]) => security !== undefined)
          .map(([method]) => ({ method: method.toUpperCase(), path })),
      );
  }

  const ask = async (tenant: string, { method, path }: { method: string; path: string }): Promise<number> => {
    const headers = { authorization: `Bearer ${await used.stack.token('compliance', { tenant, sub: 'carla' })}` };
    const response = await fetch(new URL(PATHS[path] ?? path, used.stack.urls.api), { method, headers });
    await response.arrayBuffer();
    return response.status;
  };

  it('given every route of the audit, when compliance asks, then each request is in the log, whatever came of it', async () => {
    const tenant = newTenant();
    const all = await routes();
    expect(all.map(({ path }) => path)).toEqual(expect.arrayContaining(['/v1/audit/replay', '/v1/audit/why/{id}']));
    for (const route of all) expect(await ask(tenant, route)).not.toBe(403);
    const recorded = (await auditLog(tenant)).flatMap(({ data }) => ('request' in data ? data.request : []));
    const asked = all.map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`);
    expect(recorded).toEqual(asked);
  });

  it('given a replay, then the log says who looked at what, and when', async () => {
    const tenant = newTenant();
    const before = new Date().toISOString();
    const compliance = await used.stack.as('compliance', { tenant, sub: 'carla' });
    await compliance.read('/v1/audit/replay', { person: NOBODY, asOf: '2026-01-31' });
    const [event, ...more] = await auditLog(tenant);
    expect(more).toEqual([]);
    expect(event).toMatchObject({
      type: 'AuditConsulted',
      data: { request: 'GET /v1/audit/replay', parameters: { person: NOBODY, asOf: '2026-01-31' } },
      metadata: { tenant, actor: { sub: 'carla', roles: ['compliance'], via: 'http' } },
    });
    expect(event!.recordedAt >= before).toBe(true);
    expect(event!.stream).toBe(`${tenant}.auditlog-${event!.data.day}`);
  });

  it.each(['admin', 'analyst', 'service', 'manager', 'learner'] as const)(
    'given the role %s, then it is refused, and nothing is recorded',
    async (role) => {
      const tenant = newTenant();
      const client = await used.stack.as(role, { tenant });
      expect((await client.get('/v1/audit/replay')).status).toBe(403);
      expect((await client.get(`/v1/audit/why/${NOBODY}`)).status).toBe(403);
      expect(await auditLog(tenant)).toEqual([]);
    },
  );

  it('given a consultation, then the warehouse has its place in the log and not what it says', async () => {
    const tenant = newTenant();
    const compliance = await used.stack.as('compliance', { tenant, sub: 'carla' });
    await compliance.read('/v1/audit/replay', { person: NOBODY });
    await compliance.settled();
    const query = `SELECT category, data, actor FROM events WHERE tenant = '${tenant}' FORMAT JSONEachRow`;
    const url = new URL(used.stack.urls.clickhouse);
    url.searchParams.set('query', query);
    const row: unknown = await (await fetch(url)).json();
    expect(row).toEqual({ category: 'auditlog', data: '{}', actor: '' });
  });

  it('given a log that does not take it, when somebody asks, then there is no answer', async () => {
    const pipeline = {
      handle: () => Promise.reject(new EventStoreUnavailableError('the event store does not answer')),
    } as unknown as CommandPipeline;
    const request = {
      caller: { sub: 'carla', tenant: 'acme', roles: ['compliance'] },
      method: 'GET',
      routeOptions: { url: '/v1/audit/replay' },
      query: {},
    };
    const context = { switchToHttp: () => ({ getRequest: () => request }) } as unknown as ExecutionContext;
    const handle = jest.fn();
    await expect(new RecordsConsultations(pipeline).intercept(context, { handle })).rejects.toThrow(
      EventStoreUnavailableError,
    );
    expect(handle).not.toHaveBeenCalled();
  });

  it('given more than can be recorded, when it is asked, then 400', async () => {
    const compliance = await used.stack.as('compliance', { tenant: newTenant() });
    const { status } = await compliance.get('/v1/audit/replay', {
      course: 'x'.repeat(12_000),
      asOf: 'y'.repeat(12_000),
    });
    expect([400, 414, 431]).toContain(status);
  });
});
