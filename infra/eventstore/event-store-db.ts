import {
  BACKWARDS,
  END,
  type EventStoreDBClient,
  FORWARDS,
  jsonEvent,
  type JSONType,
  NO_STREAM,
  type Position,
  type ResolvedEvent,
  START,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import {
  type AppendResult,
  type EventBatch,
  type EventCatalog,
  type EventMetadata,
  type EventStore,
  EventStoreUnavailableError,
  type ExpectedRevision,
  hasPersonal,
  KEY_CATEGORY,
  type NewEvent,
  parseStreamName,
  type RecordedEvent,
  type SubscribeOptions,
  WrongExpectedRevisionError,
} from '../../packages/eventsourcing';
import { abortableDelay } from '../abortable-delay';
import type { KeyWrapper } from '../keys';
import { PersonKeys } from './person-keys';
import { PersonalData } from './personal-data';
import { startScavenge } from './scavenge';
import { APPEND_TIMEOUT, connect, isBroken, isTransient, unavailable } from './connection';
import { type Batch, type StoredEvent, type StoredSubscribeOptions, toStored } from './stored';
import { Subscriptions } from './subscriptions';

const APPEND_TRIES = 4;
/** Events of a backlog that are counted one by one. */
const COUNTED = 1_000;

/** Events that are looked at together for the last one of the history. */
const HEAD_PAGE = 64;

/** What a reader of the log has before it. */
export interface Backlog {
  readonly events: number;
  /** ISO 8601; when the store recorded the first of them. Null when there is none. */
  readonly since: string | null;
}

/** How much longer than its deadline an append is waited for, in milliseconds. */
const GRACE = 5_000;

/**
 * The kernel's `EventStore` over the official client. One instance per process: version 6.2 of the client keeps its pending
 * appends in one process-wide table. An error of the batch call of one client empties it for all, and an answer that finds no entry ends
 * the process. So there is one client for appends, replaced only when that call has broken, and others for everything else.
 */
export class EventStoreDb implements EventStore {
  /** For appends. */
  private client: EventStoreDBClient;
  /** For reads. */
  private reader: EventStoreDBClient;
  private readonly subscriptions: Subscriptions;
  /** Undefined without master keys: personal data then reads as null, and none can be written. */
  readonly keys: PersonKeys | undefined;
  private readonly personal: PersonalData;

  /** @param url for example `esdb://127.0.0.1:2113?tls=false` */
  constructor(
    private readonly url: string,
    private readonly catalog: EventCatalog,
    wrapper?: KeyWrapper,
  ) {
    this.client = connect(url);
    this.reader = connect(url);
    this.subscriptions = new Subscriptions(url);
    this.keys =
      wrapper &&
      new PersonKeys(
        () => this.client,
        (work) => this.reading(work),
        wrapper,
      );
    this.personal = new PersonalData(catalog, this.keys);
  }

  async seal(tenant: string, event: Pick<NewEvent, 'id' | 'type' | 'data'>): Promise<object> {
    const { client } = this;
    try {
      return await within(APPEND_TIMEOUT + GRACE, this.personal.seal(tenant, event));
    } catch (error) {
      if (!isTransient(error)) throw error;
      this.reconnectAfter(error, client);
      throw unavailable(error);
    }
  }

  /** As the port has it; takes events with other metadata as well, which then are not part of any aggregate's history. */
  async append(
    stream: string,
    events: readonly (Omit<NewEvent, 'metadata'> & { readonly metadata: object })[],
    expected: ExpectedRevision,
  ): Promise<AppendResult> {
    const proposed = events.map(({ id, type, data, metadata }) =>
      jsonEvent({ id, type, data: data as JSONType, metadata: { ...metadata } }),
    );
    const expectedRevision = expected === 'no-stream' ? NO_STREAM : BigInt(expected);
    for (let tries = 1; ; tries++) {
      const { client } = this;
      try {
        const appending = client.appendToStream(stream, proposed, { expectedRevision });
        const { nextExpectedRevision, position } = await within(APPEND_TIMEOUT + GRACE, appending);
        return { revision: Number(nextExpectedRevision), position: position!.commit };
      } catch (error) {
        if (error instanceof WrongExpectedVersionError) throw new WrongExpectedRevisionError(error.message);
        if (!isTransient(error)) throw error;
        if (tries === APPEND_TRIES) throw unavailable(error);
        this.reconnectAfter(error, client);
        await abortableDelay(100 * 2 ** tries);
      }
    }
  }

  async *readStream(stream: string): AsyncIterable<RecordedEvent> {
    for await (const resolved of this.resolved(stream)) {
      const event = this.toRecorded(resolved);
      if (event) yield* await this.personal.open([event]);
    }
  }

  /** A whole stream as it is stored, whoever wrote it; empty when it does not exist. */
  async *readStored(stream: string): AsyncIterable<StoredEvent> {
    for await (const resolved of this.resolved(stream)) {
      const event = toStored(resolved);
      if (event) yield event;
    }
  }

  subscribeToAll(options: SubscribeOptions): AsyncIterable<EventBatch> {
    return this.subscriptions.subscribe(options, (resolved) =>
      this.personal.open(resolved.map((each) => this.toRecorded(each)).filter((event) => event !== undefined)),
    );
  }

  /**
   * The log as it is stored, in order, then live: whatever stands in the streams of tenants, whoever wrote it.
   * @throws EventStoreUnavailableError after `tries` failures without an event in between: an event that can no
   *   longer be decoded ends every try at the same place
   */
  subscribeToStored(options: StoredSubscribeOptions): AsyncIterable<Batch<StoredEvent>> {
    return this.subscriptions.subscribe(options, (resolved) =>
      resolved.map(toStored).filter((event) => event !== undefined),
    );
  }

  /** What stored events say with their personal fields in clear; only of those that have any whose key is still there. */
  async openStored(events: readonly StoredEvent[]): Promise<ReadonlyMap<StoredEvent, object>> {
    const isPersonal = (type: string, data: unknown): boolean =>
      hasPersonal(data as object, this.catalog.personal(type));
    const personal = events.filter(({ type, data }) => isPersonal(type, data));
    const opened = await this.personal.open(personal as readonly RecordedEvent[]);
    const clear = personal.map((event, at): [StoredEvent, object] => [event, opened[at]!.data]);
    return new Map(clear.filter(([{ type }, data]) => isPersonal(type, data)));
  }

  /** The newest event of a stream as it is stored; undefined when there is none. */
  lastStored(stream: string): Promise<StoredEvent | undefined> {
    return this.reading(async (reader) => {
      try {
        const options = { direction: BACKWARDS, fromRevision: END, maxCount: 1 } as const;
        for await (const resolved of reader.readStream(stream, options)) return toStored(resolved);
      } catch (error) {
        if (!(error instanceof StreamNotFoundError)) throw error;
      }
      return undefined;
    });
  }

  async lastHash(stream: string): Promise<string | undefined> {
    const { metadata } = (await this.lastStored(stream)) ?? {};
    return (metadata as EventMetadata | undefined)?.hash;
  }

  head(): Promise<bigint | undefined> {
    return this.reading(async (reader) => {
      // In pages, which end by themselves: what is left before its end the client does not cancel.
      for (let fromPosition: Position | typeof END = END, maxCount = 1; ; maxCount = HEAD_PAGE) {
        let before: Position | undefined;
        for await (const { event } of reader.readAll({ direction: BACKWARDS, fromPosition, maxCount })) {
          if (event && isHistory(event)) return event.position?.commit;
          before = event?.position ?? before;
        }
        if (!before) return undefined;
        fromPosition = before;
      }
    });
  }

  /** What stands in the log after a position: counted as far as `COUNTED` goes, and estimated from there by the room that it takes. */
  backlog(after: bigint): Promise<Backlog> {
    return this.reading(async (reader) => {
      const fromPosition = after === 0n ? START : { commit: after, prepare: after };
      let events = 0;
      let since: string | null = null;
      let last = after;
      let read = 0;
      for await (const { event } of reader.readAll({ direction: FORWARDS, fromPosition, maxCount: COUNTED })) {
        read++;
        if (!event?.position || event.position.commit <= after) continue;
        last = event.position.commit;
        if (!isHistory(event)) continue;
        events++;
        since ??= event.created.toISOString();
      }
      if (read < COUNTED) return { events, since };
      const rest = Number(((await this.head()) ?? last) - last) / Number(last - after);
      return { events: Math.round(events * (1 + Math.max(rest, 0))), since };
    });
  }

  /**
   * Has the server remove from its files what no stream shows any more, destroyed keys above all. The embedded engine is done when
   * this resolves; a real server goes on in the background.
   * @throws EventStoreUnavailableError
   */
  async scavenge(): Promise<void> {
    try {
      await startScavenge(this.url);
    } catch (error) {
      throw isTransient(error) ? unavailable(error) : error;
    }
  }

  /** Cancels every call. Does not wait as `dispose` would: in version 6.2 the end of the batch-append call never comes. */
  close(): void {
    void this.client.dispose();
    void this.reader.dispose();
    this.subscriptions.close();
  }

  private async *resolved(stream: string): AsyncGenerator<ResolvedEvent> {
    const { reader } = this;
    try {
      yield* reader.readStream(stream, { direction: FORWARDS, fromRevision: START });
    } catch (error) {
      if (error instanceof StreamNotFoundError) return;
      if (!isTransient(error)) throw error;
      this.reconnectAfter(error, reader);
      throw unavailable(error);
    }
  }

  /** @throws EventStoreUnavailableError when the store is away; the next read has a client that works */
  private async reading<T>(work: (reader: EventStoreDBClient) => Promise<T>): Promise<T> {
    const { reader } = this;
    try {
      return await work(reader);
    } catch (error) {
      if (!isTransient(error)) throw error;
      this.reconnectAfter(error, reader);
      throw unavailable(error);
    }
  }

  /** Undefined for events that are not of the history: keys of people, and what Attest did not write. */
  private toRecorded({ event }: ResolvedEvent): RecordedEvent | undefined {
    const stream = event && parseStreamName(event.streamId);
    if (!stream) return undefined;
    if (stream.category === KEY_CATEGORY) this.keys?.learn(event.streamId, event.type, event.data);
    const metadata = event.metadata as EventMetadata | undefined;
    if (typeof metadata !== 'object' || typeof metadata.hash !== 'string') return undefined;
    return {
      id: event.id,
      stream: event.streamId,
      revision: Number(event.revision),
      position: event.position!.commit,
      type: event.type,
      data: this.catalog.upcast(event.type, metadata.schema, event.data as object, metadata.occurredAt),
      metadata,
      recordedAt: event.created.toISOString(),
    };
  }

  /**
   * A new client reconnects always. The old one's calls are cancelled
   * with it, so only the first to fail replaces it: what they are sent again on must stay.
   */
  private reconnectAfter(error: unknown, failed: EventStoreDBClient): void {
    if (!isBroken(error)) return;
    if (failed === this.client) this.client = connect(this.url);
    else if (failed === this.reader) this.reader = connect(this.url);
    else return;
    void failed.dispose();
  }
}

/** Whether readers of the history are given an event: Attest wrote it, and it is neither a key of a person nor a seal. */
function isHistory({ streamId, metadata }: NonNullable<ResolvedEvent['event']>): boolean {
  return parseStreamName(streamId) !== undefined && typeof (metadata as EventMetadata | undefined)?.hash === 'string';
}

async function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new EventStoreUnavailableError(`no answer within ${milliseconds} ms`)),
      milliseconds,
    );
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
