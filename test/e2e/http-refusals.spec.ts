import { randomUUID } from 'node:crypto';
import type { ApiClient } from './api-client';
import { attempted, hired, newId, published } from './records';
import { useStack } from './running-stack';
import { until } from './until';

describe('Commands over HTTP that are refused', () => {
  const used = useStack();
  let admin: ApiClient;

  beforeAll(async () => {
    admin = await used.stack.as('admin');
  });

  it.each([
    {
      given: 'a broken rule of the domain',
      command: 'complete-enrollment',
      data: () => ({ person: randomUUID(), course: 'never-enrolled' }),
      status: 422,
      problem: { type: 'urn:attest:problem:refused', code: 'not-enrolled' },
    },
    {
      given: 'a score outside its range',
      command: 'record-attempt',
      data: () => attempted(randomUUID(), 'quiz', 101),
      status: 422,
      problem: { type: 'urn:attest:problem:refused', code: 'score-range' },
    },
    {
      given: 'a field that is not valid',
      command: 'hire-person',
      data: () => ({ ...hired(), person: 'somebody', role: 'Not A Slug' }),
      status: 400,
      problem: {
        type: 'urn:attest:problem:invalid-command',
        fields: [expect.objectContaining({ field: 'person' }), expect.objectContaining({ field: 'role' })],
      },
    },
    {
      given: 'a field inside a field that is not valid',
      command: 'record-attempt',
      data: () => ({ ...attempted(randomUUID(), 'quiz'), score: { raw: 'many', max: 10, passMark: 4 } }),
      status: 400,
      problem: {
        type: 'urn:attest:problem:invalid-command',
        fields: [expect.objectContaining({ field: 'score.raw' })],
      },
    },
    {
      given: 'a field that is missing',
      command: 'draft-course',
      data: () => ({ course: 'untitled' }),
      status: 400,
      problem: {
        type: 'urn:attest:problem:invalid-command',
        fields: expect.arrayContaining([expect.objectContaining({ field: 'title' })]) as unknown[],
      },
    },
    {
      given: 'fields that nobody knows, the tenant among them',
      command: 'publish-course',
      data: () => ({ ...published(), tenant: 'somebody-else', colour: 'red' }),
      status: 400,
      problem: {
        type: 'urn:attest:problem:invalid-command',
        fields: [expect.objectContaining({ field: 'tenant' }), expect.objectContaining({ field: 'colour' })],
      },
    },
    {
      given: 'data that is no object',
      command: 'publish-course',
      data: () => ['course'],
      status: 400,
      problem: { type: 'urn:attest:problem:invalid-command' },
    },
    {
      given: 'an unknown command',
      command: 'publish-curse',
      data: () => published(),
      status: 404,
      problem: { type: 'urn:attest:problem:unknown-command' },
    },
    {
      given: 'a body that is not JSON',
      command: 'publish-course',
      data: () => '{"course": ',
      status: 400,
      problem: { type: 'urn:attest:problem:http' },
    },
    {
      given: 'a body over the limit',
      command: 'publish-course',
      data: () => ({ ...published(), title: 'x'.repeat(1_100_000) }),
      status: 413,
      problem: { type: 'urn:attest:problem:http' },
    },
  ])('given $given, then $status as a problem with the correlation id', async ({ command, data, status, problem }) => {
    const correlationId = newId('correlation');
    const refused = await admin.send(command, data(), { 'x-correlation-id': correlationId });
    expect(refused.body).toMatchObject({ ...problem, status, correlationId });
    expect(refused.status).toBe(status);
    expect(refused.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(refused.body.title).not.toBe('');
    await until(() => used.stack.stderr.includes(correlationId)); // its log
  });

  it('given a route that does not exist, then 404 as a problem', async () => {
    const { status, headers, body } = await admin.get('/v1/nothing-here');
    expect(status).toBe(404);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ type: 'urn:attest:problem:http', status: 404 });
  });
});
