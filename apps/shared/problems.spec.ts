import type { ArgumentsHost } from '@nestjs/common';
import { BusyError, type Problem, ProblemFilter, Problems } from './problems';

/** What an HTTP route answers to an error. */
function answerTo(error: unknown) {
  const answer = { status: 0, headers: {} as Record<string, string>, body: undefined as Problem | undefined };
  const reply = {
    status: (status: number) => Object.assign(answer, { status }) && reply,
    header: (name: string, value: string) => Object.assign(answer.headers, { [name]: value }) && reply,
    send: (body: Problem) => Object.assign(answer, { body }) && reply,
  };
  const http = { getRequest: () => ({ id: 'c-1', method: 'GET', url: '/' }), getResponse: () => reply };
  const log = { info: () => undefined, error: () => undefined };
  new ProblemFilter(new Problems(log as never)).catch(error, { switchToHttp: () => http } as unknown as ArgumentsHost);
  return answer;
}

it('tells those who ask while too much is waiting when to ask again', () => {
  const { status, headers, body } = answerTo(new BusyError('2000 reports are waiting already.', 2));
  expect(status).toBe(503);
  expect(headers).toEqual({ 'retry-after': '2', 'content-type': 'application/problem+json' });
  expect(body).toEqual({
    type: 'urn:attest:problem:busy',
    title: 'Too much is waiting to be answered.',
    status: 503,
    detail: '2000 reports are waiting already. Ask again in 2 s.',
    correlationId: 'c-1',
  });
});
