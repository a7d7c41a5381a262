import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { AttestClient, ProblemError } from './client';
import { UsageError } from './data-folder';

const problem = {
  type: 'urn:attest:problem:not-found',
  title: 'Not found',
  status: 404,
  detail: 'There is no such thing.',
};

async function against<T>(listener: RequestListener, ask: (client: AttestClient) => Promise<T>): Promise<T> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    return await ask(new AttestClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'a-token'));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function all<T>(lines: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const line of lines) read.push(line);
  return read;
}

describe('The client of the command line', () => {
  it('given an answer in lines, cut anywhere, then each line is one value, the last one without an end too', async () => {
    const bytes = Buffer.from('{"name":"Zoë"}\n{"name":"日本"}\n{"n":3}');
    const read = await against(
      (_, response) => {
        for (const byte of bytes) response.write(Buffer.of(byte));
        response.end();
      },
      (client) => all(client.lines('/lines')),
    );
    expect(read).toEqual([{ name: 'Zoë' }, { name: '日本' }, { n: 3 }]);
  });

  it.each([
    ['lines', (client: AttestClient) => all(client.lines('/'))],
    ['one value', (client: AttestClient) => client.get('/')],
    ['a file', (client: AttestClient) => client.download('/', {}, new PassThrough().resume())],
  ])('given an answer of %s that breaks off, then one sentence says so', async (_, ask) => {
    const broken = against((_, response) => {
      response.write('{"n":1}\n{"n":', () => response.destroy());
    }, ask);
    await expect(broken).rejects.toThrow(new UsageError('The answer broke off: is Attest up? Repeat the command.'));
  });

  it('given a refusal, then it is thrown as the problem that it tells of', async () => {
    const type = { 'content-type': 'application/problem+json' };
    const refused = against(
      (_, response) => response.writeHead(404, type).end(JSON.stringify(problem)),
      (client) => client.get('/'),
    );
    await expect(refused).rejects.toThrow(new ProblemError(problem));
  });

  it.each([
    [301, { location: 'https://learning.example/' }, '301, and sends to https://learning.example/'],
    [502, { 'content-type': 'text/html' }, '502'],
  ])(
    'given something else that answers in its place with %d, then one sentence says so',
    async (status, headers, told) => {
      const refused = against(
        (_, response) => response.writeHead(status, headers).end('<html>'),
        (client) => client.get('/'),
      );
      await expect(refused).rejects.toThrow(UsageError);
      await expect(refused).rejects.toThrow(
        `is not Attest: it answers ${told}. Set ATTEST_URL to where Attest itself is.`,
      );
    },
  );

  it('given a file, then it is written as it comes, and its headers are given', async () => {
    const to = new PassThrough();
    const headers = against(
      (_, response) => response.writeHead(200, { 'attest-position': '7' }).end('a,b\n'),
      (client) => client.download('/', {}, to),
    );
    expect(await text(to)).toBe('a,b\n');
    expect(await headers).toMatchObject({ 'attest-position': '7' });
  });

  it('given commands, then they are sent as lines with the token, and answered in order', async () => {
    const answers = await against(
      (request, response) => {
        const { authorization, 'content-type': type, 'content-length': length } = request.headers;
        response.end(`${JSON.stringify({ authorization, type, length, method: request.method, url: request.url })}\n`);
      },
      (client) => all(client.bulk([{ command: 'grade', id: '1', data: {} }])),
    );
    expect(answers).toEqual([
      {
        authorization: 'Bearer a-token',
        type: 'application/x-ndjson',
        length: '39',
        method: 'POST',
        url: '/v1/commands',
      },
    ]);
  });
});
