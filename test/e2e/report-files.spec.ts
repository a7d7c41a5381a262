import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@clickhouse/client';
import { strFromU8, unzipSync } from 'fflate';
import type { Report } from '../../apps/reports/reports.controller';
import { reportNames } from '../../projections/clickhouse';
import type { Overdue, PersonCompliance } from '../../projections/expected-team-reports';
import type { ApiClient } from './api-client';
import { hired, newTenant } from './records';
import { temporaryFolder, useStack } from './running-stack';

/** Eva leads twelve people, each of whom has one course open that was due on another day; one more leads Eva. */
describe('Reports as files and in pages', () => {
  const used = useStack();
  const tenant = newTenant();
  const top = hired({ occurredAt: '2026-01-01T00:00:00Z', employeeNumber: 'top' });
  const eva = hired({ occurredAt: '2026-01-01T00:00:00Z', employeeNumber: 'eva', manager: top.person });
  const team = Array.from({ length: 12 }, (_, index) =>
    hired({ occurredAt: '2026-01-02T00:00:00Z', employeeNumber: `=e,${index}`, manager: eva.person }),
  );
  let admin: ApiClient;
  let analyst: ApiClient;

  beforeAll(async () => {
    admin = await used.stack.as('admin', { tenant });
    analyst = await used.stack.as('analyst', { tenant });
    for (const person of [top, eva, ...team]) await admin.command('hire-person', person);
    for (const [index, { person }] of team.entries()) {
      const dueOn = `2026-02-${String(10 + index)}`;
      await admin.command('enroll-learner', { person, course: 'safety', occurredAt: '2026-01-05T00:00:00Z', dueOn });
    }
    await admin.settled();
  });

  const asOf = '2026-02-20';
  const overdue = (parameters: Record<string, string> = {}, client = analyst) =>
    client.read<Report<Overdue>>('/v1/reports/overdue', { asOf, ...parameters });
  const download = async (report: string, parameters: Record<string, string>, accept = '*/*') => {
    const query = new URLSearchParams({ asOf, ...parameters }).toString();
    const headers = { accept, authorization: `Bearer ${await used.stack.token('analyst', { tenant })}` };
    return fetch(`${used.stack.urls.api}/v1/reports/${report}?${query}`, { headers });
  };

  describe('given every report', () => {
    it.each(reportNames())('%s answers, and says how fresh it is', async (name) => {
      const { asOf: fresh, rows, digest } = await analyst.read<Report<object>>(`/v1/reports/${name}`);
      const { log } = await analyst.read<{ log: string }>('/v1/status');
      expect(BigInt(fresh.position)).toBeLessThanOrEqual(BigInt(log));
      expect(Date.parse(fresh.time!)).not.toBeNaN();
      expect(digest).toMatch(/^[0-9a-f]{64}$/);
      const empty = ['question-statistics', 'expiring-certificates', 'time-to-complete'];
      expect(rows.length > 0).toBe(!empty.includes(name));
    });

    it('the description of the API names them all', async () => {
      const answer = await analyst.read<{
        paths: Record<string, { get: { parameters: { schema: { enum?: string[] } }[] } }>;
      }>('/openapi.json');
      const [named] = answer.paths['/v1/reports/{report}']!.get.parameters.flatMap(({ schema }) =>
        schema.enum?.includes('overdue') ? [schema.enum] : [],
      );
      expect(named).toEqual(reportNames());
    });

    it.each([
      ['/v1/reports/nothing', {}, 404],
      ['/v1/reports/overdue', { within: '7000' }, 400],
      ['/v1/reports/overdue', { course: 'safety' }, 400],
      ['/v1/reports/overdue', { scope: 'all' }, 400],
      ['/v1/reports/overdue', { format: 'pdf' }, 400],
      ['/v1/reports/overdue', { format: 'csv', limit: '5' }, 400],
      ['/v1/reports/overdue', { cursor: 'nonsense' }, 400],
      ['/v1/reports/overdue', { limit: '0' }, 400],
    ])('%s with %p is refused with %d', async (path, parameters, expected) => {
      const { status, body } = await analyst.get<{ fields?: { field: string }[] }>(path, parameters);
      expect(status).toBe(expected);
      if (expected === 400) expect(Object.keys(parameters)).toContain(body.fields![0]!.field);
    });

    it('an Accept that no report has is refused', async () => {
      expect((await download('overdue', {}, 'image/png')).status).toBe(400);
    });
  });

  describe('given a manager', () => {
    it('when they ask, then every report is about their people only', async () => {
      const manager = await used.stack.as('manager', { tenant, sub: eva.person });
      const { rows } = await manager.read<Report<{ members: number }>>('/v1/reports/team-compliance-by-unit', { asOf });
      expect(rows.reduce((total, { members }) => total + members, 0)).toBe(12);
      expect((await manager.get('/v1/reports/weekly-trend', { manager: top.person })).status).toBe(403);
      const nobodys = await used.stack.as('manager', { tenant, sub: team[0]!.person });
      for (const name of reportNames()) {
        expect(await nobodys.read<Report<object>>(`/v1/reports/${name}`)).toMatchObject({ rows: [] });
      }
    });

    it('when only those who report to them are asked for, then nobody further down counts', async () => {
      const direct = (manager: string) =>
        analyst.read<Report<PersonCompliance>>('/v1/reports/team-compliance-by-person', {
          asOf,
          manager,
          scope: 'direct',
        });
      expect((await direct(top.person)).rows.map(({ employeeNumber }) => employeeNumber)).toEqual(['eva']);
      expect((await direct(eva.person)).rows).toHaveLength(12);
    });
  });

  describe('given pages', () => {
    it('when data arrives between them, then they are still pages of the same report', async () => {
      const whole = await overdue();
      expect(whole.rows).toHaveLength(10);
      const rows: Overdue[] = [];
      const positions = new Set<string>();
      let cursor: string | undefined;
      do {
        const page = await overdue({ limit: '4', ...(cursor && { cursor }) });
        rows.push(...page.rows);
        positions.add(page.asOf.position);
        cursor = page.next;
        // Whoever was overdue longest no longer is.
        const done = { person: rows[0]!.person, course: 'safety', occurredAt: '2026-02-12T00:00:00Z' };
        if (positions.size === 1 && rows.length === 4) await admin.command('complete-enrollment', done);
        await admin.settled();
      } while (cursor);
      expect(rows).toEqual(whole.rows);
      expect(positions.size).toBe(1);
      expect((await overdue()).rows).toHaveLength(9);
    });

    it('when a cursor is used for another question, then it is refused', async () => {
      const { next } = await overdue({ limit: '2' });
      const other = await analyst.get('/v1/reports/overdue', { asOf, cursor: next!, manager: top.person });
      expect(other.status).toBe(400);
    });
  });

  describe('given a file', () => {
    it('when it is CSV, then it holds what JSON holds', async () => {
      const answer = await download('overdue', {}, 'text/csv');
      const { rows, asOf: fresh } = await overdue();
      expect(answer.headers.get('content-type')).toMatch(/^text\/csv/);
      expect(answer.headers.get('content-disposition')).toContain('overdue-2026-02-20.csv');
      expect(answer.headers.get('attest-effective')).toBe(fresh.effective);
      expect(BigInt(answer.headers.get('attest-position')!)).toBeLessThanOrEqual(BigInt(fresh.position));
      const [head, ...lines] = (await answer.text()).trim().split('\n');
      expect(head).toBe('"person","employeeNumber","manager","orgUnit","course","dueOn","daysOverdue"');
      expect(lines).toHaveLength(rows.length);
      const { person, employeeNumber, manager, orgUnit, course, dueOn, daysOverdue } = rows[0]!;
      const texts = [person, employeeNumber, manager, orgUnit, course, dueOn].map((text) => `"${text}"`);
      expect(lines[0]).toBe([...texts, daysOverdue].join(','));
    });

    it('when it is Parquet, then ClickHouse reads from it what JSON holds', async () => {
      const file = Buffer.from(await (await download('overdue', { format: 'parquet' })).arrayBuffer());
      const clickhouse = createClient({ url: used.stack.urls.clickhouse });
      const table = `parquet_${tenant}`;
      const columns =
        'person String, employeeNumber String, manager String, orgUnit String, course String, dueOn String, daysOverdue UInt32';
      await clickhouse.command({ query: `CREATE TABLE ${table} (${columns}) ENGINE = MergeTree ORDER BY person` });
      const url = new URL(used.stack.urls.clickhouse);
      url.searchParams.set('database', url.pathname.slice(1) || 'default');
      url.pathname = '/';
      url.searchParams.set('query', `INSERT INTO ${table} FORMAT Parquet`);
      const inserted = await fetch(url, { method: 'POST', body: file });
      expect([inserted.status, await inserted.text()]).toEqual([200, '']);
      const query = `SELECT * FROM ${table} ORDER BY dueOn, person, course`;
      const read = await (await clickhouse.query({ query, format: 'JSONEachRow' })).json();
      await clickhouse.command({ query: `DROP TABLE ${table}` });
      await clickhouse.close();
      expect(read).toEqual((await overdue()).rows);
    });

    it('when it is XLSX, then its sheet holds what JSON holds', async () => {
      const answer = await download('overdue', {}, 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet');
      const sheet = strFromU8(unzipSync(new Uint8Array(await answer.arrayBuffer()))['xl/worksheets/sheet1.xml']!);
      const lines = [...sheet.matchAll(/<row>(.*?)<\/row>/g)].map(([, row]) =>
        [...row!.matchAll(/<c[^>]*>(?:<is><t[^>]*>|<v>)(.*?)</g)].map(([, cell]) => cell),
      );
      const { rows } = await overdue();
      expect(lines).toEqual([Object.keys(rows[0]!), ...rows.map((row) => Object.values(row).map(String))]);
    });

    it('when the command line writes it, then it is the same', async () => {
      const out = join(temporaryFolder(), 'overdue.csv');
      const args = ['report', 'overdue', '--tenant', tenant, '--as-of', asOf, '--format', 'csv'];
      const { code, stdout } = await used.stack.cli(...args, '--out', out, '--json');
      expect([code, JSON.parse(stdout)]).toEqual([0, { report: 'overdue', format: 'csv', out }]);
      expect(readFileSync(out, 'utf8')).toBe(await (await download('overdue', { format: 'csv' })).text());
      expect((await used.stack.cli(...args)).stdout).toBe(readFileSync(out, 'utf8'));
    });
  });
});
