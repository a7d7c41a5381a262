import type { NewEvent, RecordedEvent } from './messages';

/** The revision that the stream must be at for an append to succeed. */
export type ExpectedRevision = number | 'no-stream';

export interface AppendResult {
  /** Revision of the last event appended. */
  revision: number;
  /** Position of the last event appended. */
  position: bigint;
}

/** Somebody else appended first. */
export class WrongExpectedRevisionError extends Error {
  override name = 'WrongExpectedRevisionError';
}

/** The store cannot be reached or does not answer in time; whether an append happened is unknown. Retry with the same ids. */
export class EventStoreUnavailableError extends Error {
  override name = 'EventStoreUnavailableError';
}

/** What arrived since the last batch was handled: as large as the consumer is slow, up to `maxBatch`. */
export interface EventBatch {
  readonly events: readonly RecordedEvent[];
  /** Everything up to here was looked at, whether it passed the filter or not. */
  readonly position: bigint;
  /** The end of the log was reached with this batch. */
  readonly caughtUp: boolean;
}

export interface SubscribeOptions {
  /** The position last handled; undefined starts at the beginning. Exclusive. */
  after?: bigint | undefined;
  /** Only streams whose names begin so, for example `acme.`; filtered by the server. */
  streamPrefix?: string | undefined;
  /** Only events with these wire names, whatever their stream; filtered by the server. */
  types?: readonly string[] | undefined;
  /** Events per batch at most; 1,000 when left out. */
  maxBatch?: number | undefined;
  /** How long a batch waits for company, in milliseconds, once it has an event and the end of the log is reached; 0 when left out. */
  lingerMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** What whoever only reads the log needs. */
export interface LogReader {
  /** A whole stream in order; empty when it does not exist. */
  readStream(stream: string): AsyncIterable<RecordedEvent>;
  /**
   * The log in order, then live. Resumes by itself after a lost connection, without gap or repetition. Ends when `signal` aborts.
   * System events and events that Attest did not write are left out.
   */
  subscribeToAll(options: SubscribeOptions): AsyncIterable<EventBatch>;
  /** Position of the last event that `subscribeToAll` gives; undefined when there is none. What follows it is not history. */
  head(): Promise<bigint | undefined>;
}

/** The port that the kernel needs; `infra/eventstore` implements it over the official client. */
export interface EventStore extends LogReader {
  /**
   * The data as it is to be hashed and appended: personal fields encrypted with the key of the person, which is made when there is
   * none yet. What belongs to somebody whose key was destroyed is left out.
   * @throws EventStoreUnavailableError
   */
  seal(tenant: string, event: Pick<NewEvent, 'id' | 'type' | 'data'>): Promise<object>;
  /**
   * Appends all events or none. Repeating the call with the same ids and expectation appends nothing and answers as the first time.
   * @throws WrongExpectedRevisionError, EventStoreUnavailableError
   */
  append(stream: string, events: readonly NewEvent[], expected: ExpectedRevision): Promise<AppendResult>;
  /** The hash of a stream's last event; undefined when there is none. */
  lastHash(stream: string): Promise<string | undefined>;
}
