import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
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
    const text = Buffer.from('{"name":"Zoë"}\n{"name":"日本"}\n{"n":3}');
    const read = await against(
      (_, response) => {
        for (const byte of text) response.write(Buffer.of(byte));
        response.end();
      },
      (client) => all(client.lines('/lines')),
    );
    expect(read).toEqual([{ name: 'Zoë' }, { name: '日本' }, { n: 3 }]);
  });

  it.each([
    ['lines', (client: AttestClient) => all(client.lines('/'))],
    ['one value', (client: AttestClient) => client.get('/')],
  ])('given an answer of %s that breaks off, then one sentence says so', async (_, ask) => {
    const broken = against((_, response) => {
      response.write('{"n":1}\n{"n":', () => response.destroy());
    }, ask);
    await expect(broken).rejects.toThrow(new UsageError('The answer broke off: is Attest up? Repeat the command.'));
  });

  it('given a refusal, then it is thrown as the problem that it tells of', async () => {
    const refused = against(
      (_, response) => response.writeHead(404).end(JSON.stringify(problem)),
      (client) => client.get('/'),
    );
    await expect(refused).rejects.toThrow(new ProblemError(problem));
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
