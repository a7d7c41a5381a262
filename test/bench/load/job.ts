/** What a load generator is asked to do, in a process of its own, and what it gives back. */
import { fork } from 'node:child_process';
import { join, sep } from 'node:path';
import type { Timing } from './statistics';

/** As `npm start` has it: on one machine, what is for reading gives way by so much to what takes commands. */
export const NICE_READING = 15;

interface Duration {
  readonly seconds: number;
}

/** Commands one by one over HTTP, as fast as the answers come, or at a steady rate whatever the answers do. */
export interface HttpCommandsJob extends Duration {
  readonly kind: 'http-commands';
  readonly url: string;
  readonly token: string;
  readonly connections: number;
  /** Commands per second; times count from when each was due. */
  readonly rate?: number;
}

/** Commands as NDJSON, so many lines in each request. */
export interface BulkCommandsJob extends Duration {
  readonly kind: 'bulk-commands';
  readonly url: string;
  readonly token: string;
  readonly connections: number;
  readonly lines: number;
}

/** Commands over NATS request/reply. */
export interface NatsCommandsJob extends Duration {
  readonly kind: 'nats-commands';
  readonly url: string;
  readonly token: string;
  readonly inFlight: number;
}

/** The same events by the official client, straight to the event store. */
export interface RawAppendsJob extends Duration {
  readonly kind: 'raw-appends';
  readonly url: string;
  readonly tenant: string;
  readonly inFlight: number;
}

/** GET requests, taken in turn; each connection rests between two. */
export interface ReadsJob extends Duration {
  readonly kind: 'reads';
  readonly url: string;
  readonly paths: readonly string[];
  /** One for each connection. */
  readonly tokens: readonly string[];
  readonly restMs: number;
}

/** The whole log by the official client, from its beginning. */
export interface RawReadsJob {
  readonly kind: 'raw-reads';
  readonly url: string;
}

/** Copies of all documents of these collections by the official client, in large unordered batches. */
export interface RawDocumentsJob {
  readonly kind: 'raw-documents';
  readonly url: string;
  readonly collections: readonly string[];
}

/** Copies of all rows of the landing table by the official client, in batches as large as Attest's. */
export interface RawRowsJob {
  readonly kind: 'raw-rows';
  readonly url: string;
}

export type Job =
  | HttpCommandsJob
  | BulkCommandsJob
  | NatsCommandsJob
  | RawAppendsJob
  | ReadsJob
  | RawReadsJob
  | RawDocumentsJob
  | RawRowsJob;

export interface JobResult {
  readonly timing: Timing;
  /** Of commands at a steady rate: the position that each answer gave and when it came, in milliseconds since 1970. */
  readonly answered: readonly (readonly [position: number, at: number])[];
  /** What the first few errors were. */
  readonly complaints: readonly string[];
}

const here = __dirname.includes(`${sep}dist${sep}`) ? __dirname : join(__dirname, '../../../dist/test/bench/load');

/** Runs the job in a process of its own. @throws Error when that ends without a result */
export function runJob(job: Job): Promise<JobResult> {
  return new Promise((resolve, reject) => {
    let result: JobResult | undefined;
    const child = fork(join(here, 'generator.js'), [], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    child.on('message', (message) => (result = message as JobResult));
    child.on('error', reject);
    child.on('exit', (code, signal) => {
      if (result && code === 0) resolve(result);
      else reject(new Error(`The generator of ${job.kind} ended without a result (${signal ?? `exit code ${code}`}).`));
    });
    child.send(job);
  });
}
