import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { ArgumentsHost } from '@nestjs/common';
import { MongoClient } from 'mongodb';
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

describe('while a store of the read side is away, says so and that asking again may help', () => {
  const rejection = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => Promise.reject(new Error('it answered')),
      (error: unknown) => error,
    );
  /** A server that takes connections and says nothing, or the port where there was one. */
  async function silent(isThere: boolean): Promise<{ port: number; close: () => void }> {
    const taken: Socket[] = [];
    const server = createServer((socket) => taken.push(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    if (!isThere) await new Promise((resolve) => server.close(resolve));
    const close = (): void => {
      server.close();
      for (const socket of taken) socket.destroy();
    };
    return { port, close };
  }
  const unavailable = { status: 503, body: { type: 'urn:attest:problem:read-side-unavailable' } };

  it.each([
    ['cannot be reached', false],
    ['does not answer in time', true],
  ])('ClickHouse that %s', async (_, isThere) => {
    const { port, close } = await silent(isThere);
    const log = { level: ClickHouseLogLevel.OFF };
    const client = createClient({ url: `http://127.0.0.1:${port}`, request_timeout: 200, log });
    expect(answerTo(await rejection(client.query({ query: 'SELECT 1' })))).toMatchObject(unavailable);
    await client.close();
    close();
  });

  it('MongoDB that cannot be reached', async () => {
    const { port } = await silent(false);
    const client = new MongoClient(`mongodb://127.0.0.1:${port}`, { serverSelectionTimeoutMS: 200 });
    expect(answerTo(await rejection(client.db('attest').collection('people').findOne()))).toMatchObject(unavailable);
    await client.close();
  });
});
