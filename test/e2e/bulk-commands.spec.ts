import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { BulkLine } from '../../apps/shared/bulk-commands';
import type { ApiClient } from './api-client';
import { newId, newTenant, published } from './records';
import { useStack } from './running-stack';

const line = (course = published(), id?: string) => ({ command: 'publish-course', ...(id && { id }), data: course });

describe('Commands in bulk', () => {
  const used = useStack();
  let admin: ApiClient;

  beforeEach(async () => {
    admin = await used.stack.as('admin', { tenant: newTenant() });
  });

  /** A bulk request whose body and answer the test itself moves along. */
  function open(): ClientRequest {
    const headers = { 'content-type': 'application/x-ndjson', authorization: `Bearer ${admin.token}` };
    return request(new URL('/v1/commands', admin.url), { method: 'POST', headers });
  }

  it('given a thousand lines, then each is answered in order', async () => {
    const courses = Array.from({ length: 1_000 }, () => published());
    const answers = await admin.bulk(courses.map((course) => line(course)));
    expect(answers.map((answer) => answer.line)).toEqual(courses.map((_, index) => index + 1));
    expect(answers.map((answer) => 'stream' in answer && answer.stream.split('.')[1])).toEqual(
      courses.map(({ course }) => `course-${course}`),
    );
    expect(answers.every(({ outcome }) => outcome === 'accepted')).toBe(true);
  });

  it('given commands of one stream, then they are applied in their order', async () => {
    const course = published();
    const answers = await admin.bulk(
      Array.from({ length: 150 }, (_, edition) => line({ ...course, title: `Edition ${edition}` })),
    );
    expect(answers).toEqual(answers.map((_, index) => expect.objectContaining({ revision: index }) as unknown));
  });

  it('given bad lines among good ones, then each is refused by itself and the others pass', async () => {
    const person = '0b0e8b6a-52a5-4f0e-8a43-6a1f3d2f8c11';
    const refused = (problem: object): unknown => ({
      line: expect.any(Number) as number,
      outcome: 'refused',
      problem: expect.objectContaining(problem) as unknown,
    });
    const accepted = expect.objectContaining({ outcome: 'accepted' }) as unknown;
    const invalid = (field: string) =>
      refused({
        type: 'urn:attest:problem:invalid-command',
        status: 400,
        fields: [expect.objectContaining({ field })],
      });
    const cases: [line: string | object, answer: unknown][] = [
      [line(), accepted],
      ['{"command": "publish-course", ', invalid('')],
      ['"publish-course"', invalid('')],
      ['null', invalid('')],
      [line(), accepted],
      [{ data: published() }, invalid('command')],
      [{ ...line(), id: 7 }, invalid('id')],
      [{ ...line(), tenant: 'somebody-else' }, invalid('tenant')],
      [{ command: 'publish-course' }, invalid('')],
      [{ command: 'publish-course', data: { ...published(), title: '' } }, invalid('title')],
      [{ command: 'publish-curse', data: {} }, refused({ type: 'urn:attest:problem:unknown-command', status: 404 })],
      [
        { command: 'complete-enrollment', data: { person, course: 'never' } },
        refused({ type: 'urn:attest:problem:refused', status: 422, code: 'not-enrolled' }),
      ],
      [`${' '.repeat(1_000_001)}{}`, invalid('')],
      [line(), accepted],
    ];
    const answers = await admin.bulk(cases.map(([sent]) => sent));
    expect(answers).toEqual(cases.map(([, answer]) => answer));
    expect(answers.map((answer) => answer.line)).toEqual(cases.map((_, index) => index + 1));
  });

  it('given a line that the role may not send, then that line is forbidden', async () => {
    const service = await used.stack.as('service', { tenant: newTenant() });
    const rule = { rule: 'everyone', audience: { everyone: true }, courses: ['one'] };
    const answers = await service.bulk([line(), { command: 'publish-assignment-rule', data: rule }, line()]);
    expect(answers).toMatchObject([
      { outcome: 'accepted' },
      { outcome: 'refused', problem: { type: 'urn:attest:problem:forbidden', status: 403 } },
      { outcome: 'accepted' },
    ]);
  });

  it('given empty lines and no last newline, then every command is answered under its line number', async () => {
    const body = `\r\n${JSON.stringify(line())}\r\n\r\n${JSON.stringify(line())}`;
    expect(await admin.bulk([body])).toMatchObject([
      { line: 2, outcome: 'accepted' },
      { line: 4, outcome: 'accepted' },
    ]);
  });

  it('given the same request again, then every line is known already and answered as before', async () => {
    const lines = Array.from({ length: 200 }, () => line(published(), newId('import')));
    const first = await admin.bulk(lines);
    const second = await admin.bulk(lines);
    expect(second).toEqual(first.map((answer) => ({ ...answer, outcome: 'already-known' })));
  });

  it('given the same line twice in one request, then it is accepted once', async () => {
    const twice = line(published(), newId('import'));
    const outcomes = (await admin.bulk([twice, twice])).map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['accepted', 'already-known']);
  });

  it('given another content type, then 400', async () => {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${admin.token}` };
    const body = JSON.stringify(line());
    const response = await fetch(new URL('/v1/commands', admin.url), { method: 'POST', headers, body });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ fields: [{ field: 'content-type' }] });
  });

  it('given a client that does not read, then its commands wait, others pass, and nothing is lost', async () => {
    const count = 4_000;
    // A refusal names the command, so that the answer is as large as the request: more than all buffers between us hold.
    const bad = `${JSON.stringify({ command: 'x'.repeat(5_000), data: {} })}\n`;
    const slow = open();
    slow.end(bad.repeat(count));
    const [response] = (await once(slow, 'response')) as [IncomingMessage];
    for (let other = 0; other < 50; other++) await admin.command('publish-course', published());
    expect(slow.writableFinished).toBe(false);

    let lines = 0;
    for await (const text of createInterface({ input: response })) {
      expect((JSON.parse(text) as BulkLine).line).toBe(++lines);
    }
    expect(lines).toBe(count);
  });

  it('given a client that disconnects half-way, then the service goes on and a repetition completes the rest', async () => {
    const lines = Array.from({ length: 750 }, () => line(published(), newId('import')));
    const cut = open();
    cut.on('error', () => undefined); // its own doing
    cut.write(
      lines
        .slice(0, 500)
        .map((each) => `${JSON.stringify(each)}\n`)
        .join(''),
    );
    const [response] = (await once(cut, 'response')) as [IncomingMessage];
    await once(response, 'data');
    cut.destroy();

    const answers = await admin.bulk(lines);
    expect(answers.map((answer) => answer.line)).toEqual(lines.map((_, index) => index + 1));
    expect(answers[0]).toMatchObject({ outcome: 'already-known' });
    expect(answers[lines.length - 1]).toMatchObject({ outcome: 'accepted' });
    expect(answers.every((answer) => 'revision' in answer && answer.revision === 0)).toBe(true);
  });
});
