import { randomBytes, randomUUID } from 'node:crypto';
import {
  type EventStoreDBClient,
  FORWARDS,
  jsonEvent,
  NO_STREAM,
  START,
  StreamDeletedError,
  StreamNotFoundError,
  WrongExpectedVersionError,
} from '@eventstore/db-client';
import { KEY_BYTES, KEY_CATEGORY, streamName } from '../../packages/eventsourcing';
import { StateCache } from '../../packages/eventsourcing/state-cache';
import type { KeyWrapper, WrappedKey } from '../keys';

/** A key of somebody whose events were read lately. Small, so that a process that reads everything stays small too. */
const CACHED = 100_000;
/** Key streams that are read at once. */
const AT_ONCE = 64;

/** Storage format. The wire name says that it is none of the domain's events. */
const KEY_EVENT = 'PersonKey';
const TOMBSTONE = '$streamDeleted';

export interface PersonOf {
  readonly tenant: string;
  readonly person: string;
}

type Known = { readonly wrapped: WrappedKey; key?: Uint8Array } | 'destroyed';

/**
 * The keys of people, one stream `<tenant>.personkey-<person>` each: its last event holds the wrapped key. They stand in the event store
 * so that a command needs no other, and outside of the history so that they can be destroyed: the stream is tombstoned, and a
 * scavenge removes it from the files.
 */
export class PersonKeys {
  private readonly known = new StateCache<Known>(CACHED);
  private readonly making = new Map<string, Promise<Uint8Array | undefined>>();

  constructor(
    private readonly client: () => EventStoreDBClient,
    /** Reads with another client than the one that appends, and sees to it when it breaks. */
    private readonly reading: <T>(work: (reader: EventStoreDBClient) => Promise<T>) => Promise<T>,
    private readonly wrapper: KeyWrapper,
  ) {}

  /** A key that passes by in the log need not be read again, and one that was destroyed is not used again. */
  learn(stream: string, type: string, data: unknown): void {
    if (type === TOMBSTONE) this.known.set(stream, 'destroyed');
    else if (type === KEY_EVENT && !this.known.get(stream)) this.known.set(stream, { wrapped: data as WrappedKey });
  }

  /** The key of a person; undefined when it was destroyed, or never made. */
  async find(person: PersonOf): Promise<Uint8Array | undefined> {
    const stream = streamOf(person);
    const known = this.known.get(stream) ?? (await this.read(stream));
    if (!known || known === 'destroyed') return undefined;
    known.key ??= await this.wrapper.unwrap(known.wrapped, [person.tenant, person.person]);
    return known.key;
  }

  /** The keys of these people that there are, by stream; those that are not known yet are read side by side. */
  async findAll(people: readonly PersonOf[]): Promise<(person: PersonOf) => Uint8Array | undefined> {
    const wanted = new Map(people.map((person) => [streamOf(person), person]));
    const found = new Map<string, Uint8Array | undefined>();
    const waiting = wanted.entries();
    const worker = async (): Promise<void> => {
      for (const [stream, person] of waiting) found.set(stream, await this.find(person));
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, wanted.size) }, worker));
    return (person) => found.get(streamOf(person));
  }

  /** The key of a person, made when there is none; undefined when it was destroyed, after which there is never one again. */
  findOrMake(person: PersonOf): Promise<Uint8Array | undefined> {
    const stream = streamOf(person);
    const underWay = this.making.get(stream);
    if (underWay) return underWay;
    const made = this.make(person, stream).finally(() => this.making.delete(stream));
    this.making.set(stream, made);
    return made;
  }

  /** Makes what was encrypted for a person unreadable for ever. Repeating it changes nothing. */
  async destroy(person: PersonOf): Promise<void> {
    const stream = streamOf(person);
    try {
      await this.client().tombstoneStream(stream);
    } catch (error) {
      if (!(error instanceof StreamDeletedError)) throw error;
    }
    this.known.set(stream, 'destroyed');
  }

  /**
   * Wraps a key anew with the current master key, unless it is already, and hides the old one, which a scavenge removes.
   * @returns whether there was something to do
   */
  async rewrap(person: PersonOf): Promise<boolean> {
    const stream = streamOf(person);
    const known = await this.read(stream);
    if (!known || known === 'destroyed' || known.wrapped.masterKey === this.wrapper.current) return false;
    const key = (await this.find(person))!;
    const wrapped = await this.wrapper.wrap(key, [person.tenant, person.person]);
    try {
      await this.client().setStreamMetadata(stream, { maxCount: 1 });
      await this.client().appendToStream(stream, keyEvent(wrapped));
    } catch (error) {
      if (!(error instanceof StreamDeletedError)) throw error;
      this.known.set(stream, 'destroyed'); // The person was erased meanwhile.
      return false;
    }
    this.known.set(stream, { wrapped, key });
    return true;
  }

  private async make(person: PersonOf, stream: string): Promise<Uint8Array | undefined> {
    const cached = this.known.get(stream);
    if (cached) return this.find(person);
    const key = randomBytes(KEY_BYTES);
    const wrapped = await this.wrapper.wrap(key, [person.tenant, person.person]);
    try {
      await this.client().appendToStream(stream, keyEvent(wrapped), { expectedRevision: NO_STREAM });
    } catch (error) {
      if (error instanceof WrongExpectedVersionError || error instanceof StreamDeletedError) return this.find(person);
      throw error;
    }
    this.known.set(stream, { wrapped, key });
    return key;
  }

  private async read(stream: string): Promise<Known | undefined> {
    const known = await this.reading((reader) => readLastKey(reader, stream));
    if (known) this.known.set(stream, known);
    return known;
  }
}

async function readLastKey(reader: EventStoreDBClient, stream: string): Promise<Known | undefined> {
  let known: Known | undefined;
  try {
    for await (const { event } of reader.readStream(stream, { direction: FORWARDS, fromRevision: START })) {
      if (event) known = { wrapped: event.data as unknown as WrappedKey };
    }
  } catch (error) {
    if (error instanceof StreamNotFoundError) return undefined;
    if (!(error instanceof StreamDeletedError)) throw error;
    known = 'destroyed';
  }
  return known;
}

function streamOf({ tenant, person }: PersonOf): string {
  return streamName(tenant, KEY_CATEGORY, person);
}

function keyEvent(wrapped: WrappedKey) {
  return jsonEvent({ id: randomUUID(), type: KEY_EVENT, data: { ...wrapped } });
}
