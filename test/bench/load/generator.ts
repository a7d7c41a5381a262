/** A load generator: a process that gets one job from the process that forked it, does it, sends the result and ends. */
import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { Agent } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from '@nats-io/transport-node';
import { beNice } from '../../../infra/embedded/niceness';
import { HttpConnection } from './http-connection';
import {
  type BulkCommandsJob,
  type HttpCommandsJob,
  type Job,
  type JobResult,
  type NatsCommandsJob,
  NICE_READING,
  type ReadsJob,
} from './job';
import { rawAppends, rawDocuments, rawReads, rawRows } from './raw-jobs';
import { Record } from './record';

function attempt(): string {
  return `{"attempt":"${randomUUID()}","person":"${randomUUID()}","course":"safety","assessment":"quiz","score":{"raw":50,"max":100,"passMark":40}}`;
}

async function httpCommands(job: HttpCommandsJob): Promise<JobResult> {
  const { url, token, connections: count, rate } = job;
  const connections = await Promise.all(Array.from({ length: count }, () => HttpConnection.open(url)));
  const record = new Record(job.seconds);
  const send = async (connection: HttpConnection, since: number): Promise<void> => {
    const { status, body } = await connection.request('POST', '/v1/commands/record-attempt', token, attempt());
    if (status !== 200) return record.error(body);
    record.success(since);
    if (rate !== undefined) record.position((JSON.parse(body) as { position: string }).position);
  };
  if (rate === undefined) {
    await Promise.all(
      connections.map(async (connection) => {
        while (record.goesOn) await send(connection, performance.now());
      }),
    );
  } else await atRate(connections, rate, record, send);
  for (const connection of connections) connection.close();
  return record.result();
}

/** One request is due every 1/rate seconds; it goes out on the first free connection, and its time counts from when it was due. */
async function atRate(
  connections: readonly HttpConnection[],
  rate: number,
  record: Record,
  send: (connection: HttpConnection, since: number) => Promise<void>,
): Promise<void> {
  const begun = performance.now();
  let sent = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (record.goesOn) {
        const due = begun + (sent++ * 1000) / rate;
        const wait = due - performance.now();
        if (wait > 0) await delay(wait);
        await send(connection, due);
      }
    }),
  );
}

async function bulkCommands({ url, token, connections, lines, seconds }: BulkCommandsJob): Promise<JobResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const record = new Record(seconds);
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/x-ndjson' };
  const send = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const since = performance.now();
      const request = httpRequest(new URL('/v1/commands', url), { method: 'POST', agent, headers }, (response) => {
        let accepted = 0;
        createInterface({ input: response })
          .on('line', (line) => (line.includes('"outcome":"accepted"') ? accepted++ : record.error(line)))
          .on('close', () => {
            record.success(since, accepted);
            resolve();
          });
      });
      request.on('error', reject);
      const line = (): string => `{"command":"record-attempt","data":${attempt()}}\n`;
      request.end(Array.from({ length: lines }, line).join(''));
    });
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (record.goesOn) await send();
    }),
  );
  agent.destroy();
  return record.result();
}

async function natsCommands({ url, token, inFlight, seconds }: NatsCommandsJob): Promise<JobResult> {
  const nats = await connect({ servers: url });
  const record = new Record(seconds);
  await Promise.all(
    Array.from({ length: inFlight }, async () => {
      while (record.goesOn) {
        const since = performance.now();
        const message = `{"token":"${token}","data":${attempt()}}`;
        const reply = await nats.request('attest.assessment.record-attempt', message, { timeout: 60_000 });
        const text = reply.string();
        if (text.includes('"outcome":"accepted"')) record.success(since);
        else record.error(text);
      }
    }),
  );
  await nats.close();
  return record.result();
}

async function reads({ url, paths, tokens, restMs, seconds }: ReadsJob): Promise<JobResult> {
  const connections = await Promise.all(tokens.map(() => HttpConnection.open(url)));
  const record = new Record(seconds);
  let next = 0;
  const rest = (ms: number): Promise<void> => delay(Math.min(ms, record.leftMs));
  await Promise.all(
    connections.map(async (connection, index) => {
      await rest(Math.random() * restMs);
      while (record.goesOn) {
        const since = performance.now();
        const { status, body } = await connection.request('GET', paths[next++ % paths.length]!, tokens[index]!);
        if (status === 200) record.success(since);
        else record.error(body);
        if (restMs > 0) await rest(restMs);
      }
    }),
  );
  for (const connection of connections) connection.close();
  return record.result();
}

function run(job: Job): Promise<JobResult> {
  switch (job.kind) {
    case 'http-commands':
      return httpCommands(job);
    case 'bulk-commands':
      return bulkCommands(job);
    case 'nats-commands':
      return natsCommands(job);
    case 'raw-appends':
      return rawAppends(job);
    case 'reads':
      // Readers are other machines: here they must not take from the commands what there they could not.
      beNice(NICE_READING);
      return reads(job);
    case 'raw-reads':
      return rawReads(job);
    case 'raw-documents':
      return rawDocuments(job);
    case 'raw-rows':
      return rawRows(job);
  }
}

process.once('message', (job: Job) => {
  run(job).then(
    (result) => process.send!(result, () => process.exit(0)),
    (error: unknown) => {
      process.stderr.write(`${String((error as Error).stack ?? error)}\n`);
      process.exit(1);
    },
  );
});
