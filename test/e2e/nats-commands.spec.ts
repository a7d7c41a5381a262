import { Logger } from '@nestjs/common';
import { ClientProxyFactory, type ClientProxy, Transport } from '@nestjs/microservices';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { firstValueFrom } from 'rxjs';
import type { CommandReply } from '../../apps/shared/nats-commands';
import { newId, newTenant, published } from './records';
import { useStack } from './running-stack';

const PUBLISH = 'attest.enrollment.publish-course';

describe('Commands over NATS', () => {
  const used = useStack();
  let nats: NatsConnection;
  let token: string;
  let learnerToken: string;

  beforeAll(async () => {
    nats = await connect({ servers: used.stack.urls.nats! });
    token = await used.stack.token('admin');
    learnerToken = await used.stack.token('learner');
  });
  afterAll(() => nats.close());

  async function ask(subject: string, message: unknown, authorization?: string): Promise<CommandReply> {
    const payload = typeof message === 'string' ? message : JSON.stringify(message);
    const sent = headers();
    if (authorization) sent.set('authorization', authorization);
    const reply = await nats.request(subject, payload, { timeout: 100_000, headers: sent });
    return reply.json<CommandReply>();
  }

  describe('given plain JSON', () => {
    it('when the token is in the message, then the command is accepted', async () => {
      const data = published();
      expect(await ask(PUBLISH, { token, data })).toEqual({
        stream: `acme.course-${data.course}`,
        revision: 0,
        position: expect.stringMatching(/^\d+$/) as string,
        events: ['CoursePublished'],
        outcome: 'accepted',
      });
    });

    it('when the token is in the header, then the command is accepted for its tenant', async () => {
      const tenant = newTenant();
      const data = published();
      const authorization = `Bearer ${await used.stack.token('service', { tenant })}`;
      expect(await ask(PUBLISH, { data }, authorization)).toMatchObject({
        stream: `${tenant}.course-${data.course}`,
        outcome: 'accepted',
      });
    });

    it('when it is sent again with its id, then it changes nothing and answers the same', async () => {
      const message = { token, id: newId('retry'), data: published() };
      const first = await ask(PUBLISH, message);
      await ask(PUBLISH, { token, data: { ...message.data, title: 'Second edition' } });
      expect(await ask(PUBLISH, message)).toEqual({ ...first, outcome: 'already-known' });
    });

    it('when the same id came over HTTP before, then it is known', async () => {
      const id = newId('retry');
      const data = published();
      const admin = await used.stack.as('admin');
      const first = await admin.command('publish-course', data, { 'idempotency-key': id });
      expect(await ask(PUBLISH, { token, id, data })).toEqual({ ...first, outcome: 'already-known' });
    });

    it.each([
      [
        'attest.people.hire-person',
        { person: randomUUID(), employeeNumber: '1', jobTitle: 'Cook', role: 'cook', orgUnit: 'd1' },
      ],
      [
        'attest.assessment.record-attempt',
        { attempt: randomUUID(), person: randomUUID(), course: 'c', assessment: 'a' },
      ],
    ])('when it goes to %s, then that context accepts it', async (subject, data) => {
      expect(await ask(subject, { token, data })).toMatchObject({ outcome: 'accepted' });
    });
  });

  describe("given Nest's own client", () => {
    let client: ClientProxy;
    beforeAll(() => {
      Logger.overrideLogger(false);
      const options = { servers: [used.stack.urls.nats!] };
      client = ClientProxyFactory.create({ transport: Transport.NATS, options });
    });
    afterAll(async () => {
      await client.close();
    });

    const send = (message: object): Promise<CommandReply> => firstValueFrom(client.send(PUBLISH, message));

    it('when it sends a command, then it is accepted', async () => {
      const data = published();
      expect(await send({ token, data })).toMatchObject({
        stream: `acme.course-${data.course}`,
        revision: 0,
        outcome: 'accepted',
      });
    });

    it('when it sends the command again with its id, then it is known', async () => {
      const message = { token, id: newId('retry'), data: published() };
      const first = await send(message);
      expect(await send(message)).toEqual({ ...first, outcome: 'already-known' });
    });

    it('when a command is refused, then it gets the problem', async () => {
      expect(await send({ token, data: {} })).toMatchObject({
        outcome: 'refused',
        problem: { type: 'urn:attest:problem:invalid-command', status: 400 },
      });
    });

    it('when it sends many at once, then each gets its own answer', async () => {
      const courses = Array.from({ length: 200 }, () => published());
      const replies = await Promise.all(courses.map((data) => send({ token, data })));
      expect(replies.map((reply) => 'stream' in reply && reply.stream)).toEqual(
        courses.map(({ course }) => `acme.course-${course}`),
      );
    });
  });

  describe('given a command that cannot be accepted', () => {
    it.each<[string, string, () => object, object]>([
      ['no token', PUBLISH, () => ({ data: published() }), { type: 'urn:attest:problem:unauthenticated' }],
      [
        'a bad token',
        PUBLISH,
        () => ({ token: 'x', data: published() }),
        { type: 'urn:attest:problem:unauthenticated' },
      ],
      [
        'a role that may not',
        PUBLISH,
        () => ({ token: learnerToken, data: published() }),
        { type: 'urn:attest:problem:forbidden', status: 403 },
      ],
      [
        'an unknown command',
        'attest.enrollment.publish-curse',
        () => ({ token, data: {} }),
        { type: 'urn:attest:problem:unknown-command', status: 404 },
      ],
      [
        'an unknown field',
        PUBLISH,
        () => ({ token, data: { ...published(), colour: 'red' } }),
        { type: 'urn:attest:problem:invalid-command', fields: [expect.objectContaining({ field: 'colour' })] },
      ],
      ['no data', PUBLISH, () => ({ token }), { type: 'urn:attest:problem:invalid-command', status: 400 }],
      [
        'an id that is no text',
        PUBLISH,
        () => ({ token, id: { retry: 1 }, data: published() }),
        { type: 'urn:attest:problem:invalid-command', fields: [expect.objectContaining({ field: 'id' })] },
      ],
      [
        'a broken rule',
        'attest.enrollment.complete-enrollment',
        () => ({ token, data: { person: randomUUID(), course: 'never' } }),
        { type: 'urn:attest:problem:refused', status: 422, code: 'not-enrolled' },
      ],
    ])('when it comes with %s, then the answer is a problem', async (_, subject, message, problem) => {
      expect(await ask(subject, message())).toEqual({
        outcome: 'refused',
        problem: expect.objectContaining(problem) as object,
      });
    });
  });

  it.each([
    '',
    'not JSON',
    '{"token": ',
    'null',
    '7',
    '"publish-course"',
    '[]',
    '{"token": 7}',
    '{"pattern": "attest.enrollment.publish-course", "id": "1"}',
    '{"pattern": {}, "id": {}, "data": null}',
  ])('given the payload %j, then it gets an answer and the next command passes', async (payload) => {
    const reply = await nats.request(PUBLISH, payload, { timeout: 100_000 });
    expect(reply.string()).toContain('urn:attest:problem:unauthenticated');
    expect(await ask(PUBLISH, { token, data: published() })).toMatchObject({ outcome: 'accepted' });
  });
});
