/** All persistent subscription groups of the node: their storage, their sources, their parked messages. */
import { randomUUID } from 'node:crypto';
import { type Store } from '../storage/store';
import { type Writer } from '../storage/writer';
import { ANY } from '../storage/expected-revision';
import { type CommitFeed } from '../streams/commit-feed';
import { compileFilter, type Filter, visibleInAll } from '../streams/filter';
import { refuseProjected } from '../streams/read';
import { type Reader, type ResolvedEvent } from '../streams/reader';
import { esError, type GrpcError } from '../wire/grpc-error';
import { viewRecord } from '../wire/record';
import { Group, type GroupHost } from './group';
import { type GroupDefinition, type GroupName } from './messages';
import { ALL, groupKey, parkedStream, type StoredGroup } from './settings';

/** What a deleted group leaves behind; rows are never removed, see lmdb-file.ts. */
const DELETED = Buffer.from('null');

interface Running {
  group: Group;
  /** Ends the watch on the source. */
  stop: () => void;
}

export class PersistentSubscriptions {
  private readonly groups = new Map<string, Running>();

  constructor(
    private readonly store: Store,
    private readonly writer: Writer,
    private readonly reader: Reader,
    private readonly feed: CommitFeed,
  ) {
    this.load();
  }

  /** @throws GrpcError when the group exists */
  async create(definition: GroupDefinition): Promise<void> {
    const { stream, group, startFrom } = definition;
    refuseProjected(stream, this.reader);
    if (this.groups.has(groupKey(stream, group))) throw esError.persistentSubscriptionExists(stream, group);
    await this.start({ ...definition, begin: this.placeOf(stream, startFrom), checkpoint: null });
  }

  /** Replaces the settings; the checkpoint stays, and connected consumers must connect again. */
  async update(definition: GroupDefinition): Promise<void> {
    const group = this.get(definition);
    group.checkpoint();
    const { stored } = group;
    this.remove(definition);
    const { begin, checkpoint, filter } = stored;
    const moved = checkpoint === null ? this.placeOf(definition.stream, definition.startFrom) : begin;
    await this.start({ ...definition, ...(filter && { filter }), begin: moved, checkpoint });
  }

  async delete(name: GroupName): Promise<void> {
    this.get(name);
    this.remove(name);
    await this.writer.saveGroup(groupKey(name.stream, name.group), DELETED);
  }

  /** @throws GrpcError when there is no such group */
  get({ stream, group }: GroupName): Group {
    const running = this.groups.get(groupKey(stream, group));
    if (!running) throw esError.persistentSubscriptionDoesNotExist(stream, group);
    return running.group;
  }

  list(stream?: string): Group[] {
    const groups = [...this.groups.values()].map(({ group }) => group);
    return stream === undefined ? groups : groups.filter(({ stored }) => stored.stream === stream);
  }

  /** Sends parked messages of a group again and takes them out of the parked stream. */
  async replayParked(name: GroupName, limit: number): Promise<void> {
    const group = this.get(name);
    const stream = parkedStream(name.stream, name.group);
    const events: ResolvedEvent[] = [];
    let next = 0;
    for (let end = false; !end && events.length < limit;) {
      const page = this.reader.streamPage(stream, next, limit - events.length);
      for (const record of page.events) events.push(this.reader.resolve(record));
      ({ next, end } = page);
    }
    if (events.length === 0) return;
    const truncated = { $tb: next };
    await this.writer.append(`$$${stream}`, ANY, [jsonEvent('$metadata', truncated)]);
    group.replay(events.filter(({ event }) => event));
  }

  /** Drops every consumer and starts again from what is stored. */
  async restart(): Promise<void> {
    await this.close();
    this.load();
  }

  /** Stores every checkpoint and sends every consumer away, by default as dropped. */
  async close(reason?: GrpcError): Promise<void> {
    for (const { group, stop } of this.groups.values()) {
      stop();
      group.checkpoint();
      group.close(reason ?? dropped(group.stored));
    }
    this.groups.clear();
    await this.writer.settled();
  }

  private load(): void {
    for (const value of this.store.allGroups()) {
      const stored = JSON.parse(value.toString()) as StoredGroup | null;
      if (stored) this.run(stored);
    }
  }

  private async start(stored: StoredGroup): Promise<void> {
    this.run(stored);
    await this.writer.saveGroup(groupKey(stored.stream, stored.group), Buffer.from(JSON.stringify(stored)));
  }

  private run(stored: StoredGroup): void {
    const group = new Group(stored, this.hostOf(stored));
    const source = stored.stream === ALL ? ALL_SOURCE : { stream: stored.stream };
    const stop = this.feed.watch(source, () => group.wake());
    this.groups.set(groupKey(stored.stream, stored.group), { group, stop });
  }

  private remove({ stream, group }: GroupName): void {
    const key = groupKey(stream, group);
    const running = this.groups.get(key);
    running?.stop();
    running?.group.close(dropped({ stream, group }));
    this.groups.delete(key);
  }

  private hostOf(stored: StoredGroup): GroupHost {
    const { stream, group } = stored;
    const filter = stored.filter && compileFilter(stored.filter);
    const parked = parkedStream(stream, group);
    return {
      read: (from, limit) =>
        stream === ALL ? this.readAll(stored, filter, from) : this.readStream(stored, from, limit),
      save: (state) => void this.save(state),
      park: (event, reason) => void this.park(parked, event, reason),
      parkedCount: () => {
        const head = this.reader.head(parked);
        return head.last < 0 ? 0 : head.last + 1 - this.reader.firstReadable(head);
      },
      lastKnown: () => {
        const last = stream === ALL ? this.reader.lastPosition() : this.reader.head(stream).last;
        return last < (stream === ALL ? 1 : 0) ? null : last;
      },
    };
  }

  private readStream({ stream, settings }: StoredGroup, from: number, limit: number): ReturnType<GroupHost['read']> {
    const { events, next, end } = this.reader.streamPage(stream, from, limit);
    const first = next - events.length;
    const messages = events.map((record, i) => ({
      place: first + i,
      event: settings.resolveLinks ? this.reader.resolve(record) : { position: record.position, event: record.raw },
    }));
    return { messages, next: Math.max(from, next), end };
  }

  private readAll({ settings }: StoredGroup, filter: Filter | undefined, from: number): ReturnType<GroupHost['read']> {
    const { events, next, end } = this.reader.allPage(from, filter ? Infinity : settings.readBatchSize);
    const wanted = events.filter((record) => visibleInAll(record) && (!filter || filter.matches(record)));
    const messages = wanted.map((record) => ({
      place: record.position,
      event: settings.resolveLinks ? this.reader.resolve(record) : { position: record.position, event: record.raw },
    }));
    return { messages, next, end };
  }

  private placeOf(stream: string, from: StoredGroup['startFrom']): number {
    if (from === 'start') return 0;
    if (from !== 'end') return from;
    return stream === ALL ? this.reader.lastPosition() + 1 : this.reader.head(stream).last + 1;
  }

  /** A checkpoint that is not written costs repeated messages, never lost ones; the writer tells appenders why it stopped. */
  private async save(stored: StoredGroup): Promise<void> {
    const value = Buffer.from(JSON.stringify(stored));
    await this.writer.saveGroup(groupKey(stored.stream, stored.group), value).catch(() => undefined);
  }

  private async park(parked: string, { event, link }: ResolvedEvent, reason: string): Promise<void> {
    const record = link ?? event;
    if (!record) return;
    const { stream, revision } = viewRecord(record);
    const metadata = Buffer.from(JSON.stringify({ added: new Date().toISOString(), reason }));
    const parkedEvent = { ...linkEvent(`${revision}@${stream}`), customMetadata: metadata };
    await this.writer.append(parked, ANY, [parkedEvent]).catch(() => undefined);
  }
}

const ALL_SOURCE = 'all';

const dropped = ({ stream, group }: GroupName): GrpcError => esError.persistentSubscriptionDropped(stream, group);

const linkEvent = (target: string): Parameters<Writer['append']>[2][number] => ({
  id: randomUUID(),
  type: '$>',
  contentType: 'application/octet-stream',
  customMetadata: Buffer.alloc(0),
  data: Buffer.from(target),
});

const jsonEvent = (type: string, data: object): Parameters<Writer['append']>[2][number] => ({
  id: randomUUID(),
  type,
  contentType: 'application/json',
  customMetadata: Buffer.alloc(0),
  data: Buffer.from(JSON.stringify(data)),
});
