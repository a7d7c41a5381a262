import { randomUUID } from 'node:crypto';
import { EventStoreDBClient } from '@eventstore/db-client';
import type { PersonDocument } from '../../projections/mongo/people';
import type { ApiClient } from './api-client';
import { hired, newId, newTenant, published } from './records';
import { useStack } from './running-stack';

describe('Commands over HTTP', () => {
  const used = useStack();
  let admin: ApiClient;

  beforeAll(async () => {
    admin = await used.stack.as('admin');
  });

  describe('given a valid command', () => {
    it('when it is sent, then the answer says where its events stand', async () => {
      const course = published();
      const { status, headers, body } = await admin.send('publish-course', course);
      expect(status).toBe(200);
      expect(headers.get('content-type')).toMatch(/^application\/json/);
      expect(headers.get('etag')).toBe('"0"');
      expect(body).toEqual({
        stream: `acme.course-${course.course}`,
        revision: 0,
        position: expect.stringMatching(/^\d+$/) as string,
        events: ['CoursePublished'],
        outcome: 'accepted',
      });
    });

    it('when its effect is there already, then it changes nothing', async () => {
      const course = published();
      const first = await admin.command('publish-course', course);
      const second = await admin.command('publish-course', course);
      expect(second).toEqual({ ...first, events: [], outcome: 'already-known' });
    });

    it('when it is sent, then the event carries who, why and when', async () => {
      const course = published();
      const correlation = { 'x-correlation-id': newId('correlation') };
      const service = await used.stack.as('service', { sub: 'quiz-engine' });
      await service.command('publish-course', { ...course, occurredAt: '2026-01-02T03:04:05+01:00' }, correlation);
      const store = EventStoreDBClient.connectionString(used.stack.urls.eventstore);
      const metadata: unknown[] = [];
      for await (const { event } of store.readStream(`acme.course-${course.course}`)) metadata.push(event?.metadata);
      await store.dispose();
      expect(metadata).toEqual([
        expect.objectContaining({
          tenant: 'acme',
          actor: { sub: 'quiz-engine', roles: ['service'], via: 'http' },
          $correlationId: correlation['x-correlation-id'],
          occurredAt: '2026-01-02T02:04:05.000Z',
        }),
      ]);
    });
  });

  describe('given an Idempotency-Key', () => {
    it('when the command is sent again, then it changes nothing and answers the same', async () => {
      const course = published();
      const key = { 'idempotency-key': newId('key') };
      const first = await admin.send('publish-course', course, key);
      await admin.command('publish-course', { ...course, title: 'Another title' });
      const again = await admin.send('publish-course', course, key);
      expect(again.body).toEqual({ ...first.body, outcome: 'already-known' });
      expect(again.headers.get('etag')).toBe(first.headers.get('etag'));
      const last = await admin.command('publish-course', { ...course, title: 'A third title' });
      expect(last.revision).toBe(2);
    });

    it('when it comes many times at once, then it is accepted once', async () => {
      const course = published();
      const key = { 'idempotency-key': randomUUID() };
      const answers = await Promise.all(Array.from({ length: 25 }, () => admin.command('publish-course', course, key)));
      expect(answers.filter(({ outcome }) => outcome === 'accepted')).toHaveLength(1);
      expect(new Set(answers.map(({ revision, position }) => `${revision}@${position}`)).size).toBe(1);
    });

    it('when another tenant uses the same key, then both commands are accepted', async () => {
      const course = published();
      const key = { 'idempotency-key': randomUUID() };
      const other = await used.stack.as('admin', { tenant: newTenant() });
      expect(await admin.command('publish-course', course, key)).toMatchObject({ outcome: 'accepted', revision: 0 });
      expect(await other.command('publish-course', course, key)).toMatchObject({ outcome: 'accepted', revision: 0 });
    });
  });

  describe('given If-Match', () => {
    it('when the stream is at that revision, then the command is accepted', async () => {
      const course = published();
      const { headers } = await admin.send('publish-course', course);
      const next = { ...course, title: 'Second edition' };
      const { status, body } = await admin.send('publish-course', next, { 'if-match': headers.get('etag')! });
      expect(status).toBe(200);
      expect(body).toMatchObject({ revision: 1, outcome: 'accepted' });
    });

    it('when the stream has moved on, then 412 and nothing changes', async () => {
      const course = published();
      await admin.command('publish-course', course);
      await admin.command('publish-course', { ...course, title: 'Second edition' });
      const stale = await admin.send('publish-course', { ...course, title: 'Third edition' }, { 'if-match': '"0"' });
      expect(stale.status).toBe(412);
      expect(stale.body.type).toBe('urn:attest:problem:revision-mismatch');
      expect(await admin.command('publish-course', { ...course, title: 'Second edition' })).toMatchObject({
        revision: 1,
        outcome: 'already-known',
      });
    });

    it('when it is no revision, then 400', async () => {
      const { status, body } = await admin.send('publish-course', published(), { 'if-match': '"yesterday"' });
      expect(status).toBe(400);
      expect(body.fields).toEqual([{ field: 'If-Match', problem: expect.any(String) as string }]);
    });
  });

  describe('given a write', () => {
    it('when a query asks for its position, then the write is visible', async () => {
      const person = hired();
      const { position: minPosition } = await admin.command('hire-person', person);
      const found = await admin.read<PersonDocument>(`/v1/people/${person.person}`, { minPosition });
      expect(found).toMatchObject({ id: person.person, role: 'engineer', status: 'active' });
    });

    it('when a query asks for a position that does not exist yet, then 503 after a bounded wait', async () => {
      const { position } = await admin.command('publish-course', published());
      const minPosition = String(BigInt(position) + 1_000_000n);
      const { status, body } = await admin.get<{ type: string }>('/v1/people', { minPosition });
      expect(status).toBe(503);
      expect(body.type).toBe('urn:attest:problem:read-model-behind');
    });

    it('when a query asks for something that is no position, then 400', async () => {
      const { status, body } = await admin.get('/v1/people', { minPosition: 'latest' });
      expect(status).toBe(400);
      expect(body).toMatchObject({ fields: [{ field: 'minPosition' }] });
    });
  });

  describe('given two tenants', () => {
    it('when both use the same ids, then neither meets the other', async () => {
      const [here, there] = [newTenant(), newTenant()];
      const [adminHere, adminThere] = await Promise.all([
        used.stack.as('admin', { tenant: here }),
        used.stack.as('admin', { tenant: there }),
      ]);
      const person = hired();
      const course = published();
      expect(await adminHere.command('hire-person', person)).toMatchObject({
        stream: `${here}.person-${person.person}`,
        outcome: 'accepted',
      });
      expect(await adminHere.command('publish-course', course)).toMatchObject({ revision: 0, outcome: 'accepted' });
      const { position: minPosition } = await adminThere.command('publish-course', course);
      const { status } = await adminThere.get(`/v1/people/${person.person}`, { minPosition });
      expect(status).toBe(404);
      expect((await adminHere.get(`/v1/people/${person.person}`, { minPosition })).status).toBe(200);
    });
  });
});
