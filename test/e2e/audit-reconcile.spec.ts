import { type ClickHouseClient, createClient } from '@clickhouse/client';
import { type Collection, type Db, MongoClient } from 'mongodb';
import type { Difference } from '../../apps/audit/check';
import type { ReconcileAnswer } from '../../apps/audit/reconciliation';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import type { ParkedEvent } from '../../apps/projector/projections.controller';
import { enrollmentIdOf } from '../../packages/enrollment';
import { collectionName } from '../../packages/eventsourcing';
import { enrollments } from '../../projections/mongo/enrollments';
import { jobTitles } from '../../projections/mongo/job-titles';
import { permissions } from '../../projections/mongo/permissions';
import { appendPoison } from '../split/poison';
import type { ApiClient } from './api-client';
import { attempted, hired, newTenant } from './records';
import { useOwnStack } from './running-stack';
import { until } from './until';

interface Stored {
  _id: string;
  [field: string]: unknown;
}

/** Each store is changed in one way, looked at, and put right again. */
describe('A reconciliation', () => {
  let mongo: MongoClient;
  let clickhouse: ClickHouseClient;
  // Before the stack ends: a client that ends after its server looks for it for half a minute.
  afterAll(async () => {
    await clickhouse.close();
    await mongo.close();
  });
  const used = useOwnStack({ environment: { ATTEST_RECONCILE_SECONDS: '10' } });
  const tenant = newTenant();
  const lea = hired({ occurredAt: '2026-01-01T00:00:00Z', employeeNumber: 'lea' });
  const attempt = attempted(lea.person, 'safety', 80);
  const enrollment = enrollmentIdOf(lea.person, 'safety');
  let compliance: ApiClient;
  let db: Db;
  let enrolledAt: string;
  let attemptedAt: string;

  beforeAll(async () => {
    mongo = new MongoClient(used.stack.urls.mongodb);
    db = mongo.db();
    clickhouse = createClient({ url: used.stack.urls.clickhouse });
    const admin = await used.stack.as('admin', { tenant });
    compliance = await used.stack.as('compliance', { tenant });
    await admin.command('hire-person', lea);
    await admin.command('grant-permissions', { role: 'engineer', permissions: ['see-team'] });
    enrolledAt = (await admin.command('enroll-learner', { person: lea.person, course: 'safety' })).position;
    attemptedAt = (await admin.command('record-attempt', attempt)).position;
    await admin.settled();
  });

  const collection = (projection: typeof enrollments | typeof jobTitles | typeof permissions): Collection<Stored> =>
    db.collection<Stored>(collectionName(projection));
  const reconcile = (): Promise<ReconcileAnswer> => compliance.read('/v1/audit/reconcile');
  const sorted = <D extends { where: string; id: string }>(differences: readonly D[]): D[] =>
    [...differences].sort((a, b) => (`${a.where} ${a.id}` < `${b.where} ${b.id}` ? -1 : 1));
  const differences = async (): Promise<Difference[]> => sorted((await reconcile()).differences);
  const change = async (query: string): Promise<void> => {
    await clickhouse.command({ query, clickhouse_settings: { mutations_sync: '2' } });
  };
  /** Keeps the row that comes from an event, and puts it back over whatever became of it. */
  const keepRow = async (table: string, position: string): Promise<() => Promise<void>> => {
    const before = String(BigInt(position) - 1n);
    await change(`CREATE TABLE kept_${table} AS ${table}`);
    await change(`INSERT INTO kept_${table} SELECT * FROM ${table} WHERE position = ${position}`);
    return async () => {
      await change(`ALTER TABLE ${table} DELETE WHERE position IN (${position}, ${before})`);
      await change(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
      await change(`DROP TABLE kept_${table}`);
    };
  };

  it('given stores that nobody touched, then they agree, and every collection and table was looked at', async () => {
    const answer = await reconcile();
    expect(answer).toMatchObject({ ok: true, differing: 0, differences: [], places: {} });
    // Of the read models: person, team member, transcript, enrollment, deadlines, attempt, title, permissions. The rest are rows.
    expect(answer.compared).toBeGreaterThan(8 + answer.events);
    const { eventstore, mongodb, clickhouse: warehouse } = answer.positions;
    expect(BigInt(mongodb)).toBeGreaterThanOrEqual(BigInt(attemptedAt));
    expect(BigInt(warehouse)).toBeGreaterThanOrEqual(BigInt(attemptedAt));
    expect(BigInt(eventstore)).toBeGreaterThan(BigInt(attemptedAt));
  });

  // A reconciliation makes every store anew from the log: what can be seen in one, without the one hiding the other, is looked at in one.

  it('given documents and rows that were deleted, altered, doubled or made up, then exactly those are named', async () => {
    const chosen = [enrollments, jobTitles, permissions].map(async (projection) => {
      const documents = collection(projection);
      const document = (await documents.findOne({ tenant }))!;
      return { documents, document, where: `mongodb ${projection.name}` };
    });
    const places = await Promise.all(chosen);
    const events = { where: 'clickhouse events', id: enrolledAt };
    const facts = { where: 'clickhouse attempt_facts', id: attemptedAt };
    const deleteEvent = `ALTER TABLE events DELETE WHERE tenant = '${tenant}' AND position = ${enrolledAt}`;
    const deleteFact = `ALTER TABLE attempt_facts DELETE WHERE tenant = '${tenant}' AND position = ${attemptedAt}`;
    const putEventBack = await keepRow('events', enrolledAt);
    const putFactBack = await keepRow('attempt_facts', attemptedAt);

    for (const { documents, document } of places) await documents.deleteOne({ _id: document._id });
    const missing = places.map(({ where, document: { _id: id } }) => ({ where, id, kind: 'missing' }));
    await change('INSERT INTO events SELECT * FROM kept_events');
    await change(deleteFact);
    expect(await differences()).toEqual(
      sorted([...missing, { ...events, kind: 'duplicate' }, { ...facts, kind: 'missing' }]),
    );

    for (const { documents, document } of places) await documents.insertOne({ ...document, altered: true });
    await change(deleteEvent);
    await change(`INSERT INTO attempt_facts SELECT * REPLACE (false AS passed, 12 AS raw) FROM kept_attempt_facts`);
    expect(await differences()).toEqual(
      sorted([
        ...missing.map((each) => ({ ...each, kind: 'different', fields: ['altered'] })),
        { ...events, kind: 'missing' },
        { ...facts, kind: 'different', fields: ['passed', 'raw'] },
      ]),
    );

    for (const { documents, document } of places) {
      await documents.replaceOne({ _id: document._id }, document);
      await documents.insertOne({ ...document, _id: `${document._id}-made-up` });
    }
    await change(`INSERT INTO events SELECT * REPLACE ('somebody' AS actor) FROM kept_events`);
    await change(deleteFact);
    await change('INSERT INTO attempt_facts SELECT * FROM kept_attempt_facts');
    await change('INSERT INTO attempt_facts SELECT * REPLACE (position - 1 AS position) FROM kept_attempt_facts');
    expect(await differences()).toEqual(
      sorted([
        ...missing.map(({ where, id }) => ({ where, id: `${id}-made-up`, kind: 'unexpected' })),
        { ...events, kind: 'different', fields: ['actor'] },
        { ...facts, id: String(BigInt(attemptedAt) - 1n), kind: 'unexpected' },
      ]),
    );

    for (const { documents, document } of places) await documents.deleteOne({ _id: `${document._id}-made-up` });
    await putEventBack();
    await putFactBack();
    expect(await reconcile()).toMatchObject({ ok: true });
  });

  it('given both stores changed, then monitoring reads how much differs where, and the command line exits 1', async () => {
    const documents = collection(enrollments);
    const document = (await documents.findOne({ _id: enrollment }))!;
    const putBack = await keepRow('attempt_facts', attemptedAt);
    await documents.deleteOne({ _id: enrollment });
    await change(`ALTER TABLE attempt_facts DELETE WHERE tenant = '${tenant}' AND position = ${attemptedAt}`);

    const { code, stdout } = await used.stack.cli('audit', 'reconcile', '--tenant', tenant, '--json');
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      ok: false,
      differing: 2,
      places: { 'mongodb enrollments': 1, 'clickhouse attempt_facts': 1 },
    });
    const forPeople = await used.stack.cli('audit', 'reconcile', '--tenant', tenant);
    expect(forPeople.code).toBe(1);
    expect(forPeople.stdout).toMatch(/^mongodb enrollments +1$/m);

    await documents.insertOne(document);
    await putBack();
    expect((await used.stack.cli('audit', 'reconcile', '--tenant', tenant)).code).toBe(0);
  });

  it('given a store that was changed, then the scheduled reconciliation tells the metrics of it, and that it was put right', async () => {
    const told = async (): Promise<string> => (await fetch(`${used.stack.urls.api}/metrics`)).text();
    const documents = collection(enrollments);
    const document = (await documents.findOne({ _id: enrollment }))!;
    await documents.deleteOne({ _id: enrollment });
    await until(async () => {
      const metrics = await told();
      return (
        metrics.includes('attest_reconciliation_differences{place="mongodb enrollments"} 1\n') &&
        metrics.includes('attest_reconciliation_ok 0\n')
      );
    });
    await documents.insertOne(document);
    await until(async () => {
      const metrics = await told();
      return !metrics.includes('place="mongodb enrollments"') && metrics.includes('attest_reconciliation_ok 1\n');
    });
    expect(await told()).toMatch(/^attest_reconciliation_timestamp_seconds 1\d{9}/m);
  });

  it('given events that nobody can apply, then all go on without them, and say which they were', async () => {
    const eventstore = { url: () => used.stack.urls.eventstore };
    const grade = await appendPoison(eventstore, tenant);
    const nothing = await appendPoison(eventstore, tenant, { type: 'PersonTerminated', data: null });
    const never = await appendPoison(eventstore, tenant, { type: 'CoursePublished', data: {}, occurredAt: 'never' });
    const admin = await used.stack.as('admin', { tenant });
    await admin.settled();

    const answer = await reconcile();
    expect(answer.differences).toEqual([]);
    expect(answer).toMatchObject({ ok: true, differing: 0, parked: { total: answer.parked.listed.length } });
    const isListed = (projection: string, position: string): boolean =>
      answer.parked.listed.some((each) => each.projection === projection && each.position === position);
    expect(isListed('attempts', grade)).toBe(true);
    expect(isListed('people', nothing)).toBe(true);
    expect(isListed('clickhouse', never)).toBe(true);

    const parked = await admin.read<ParkedEvent[]>('/v1/projections/parked');
    expect(parked).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ consumer: 'clickhouse', position: never }),
        expect.objectContaining({ consumer: expect.stringMatching(/_v\d+$/) as string, position: nothing, key: '' }),
      ]),
    );
    const redriven = await used.stack.cli('projections', 'redrive', '--tenant', tenant, '--json');
    expect(redriven.code).toBe(1);
    const { stillFailing } = JSON.parse(redriven.stdout) as { stillFailing: ParkedEvent[] };
    const idOf = ({ consumer, position }: ParkedEvent): string => `${consumer.replace(/_\d+$/, '')} ${position}`;
    expect(stillFailing.map(idOf).sort()).toEqual(parked.map(idOf).sort());
    const replayed = await compliance.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
    expect(replayed.parked).toEqual(answer.parked);
  });

  it('given that it is done, then nothing of it is left in ClickHouse', async () => {
    // The scheduled ones come and go beside.
    await until(async () => {
      const answer = await clickhouse.query({ query: 'SHOW DATABASES', format: 'JSONEachRow' });
      return (await answer.json<{ name: string }>()).every(({ name }) => !name.startsWith('attest_scratch'));
    });
  });
});
