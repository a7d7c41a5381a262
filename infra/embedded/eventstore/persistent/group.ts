/**
 * One persistent subscription group: reads its source, hands messages to consumers, and remembers how far all is processed.
 * At least once, without order: `Services/PersistentSubscription/PersistentSubscription.cs`.
 */
import { recordId } from '../wire/record';
import { esError, type GrpcError } from '../wire/grpc-error';
import { confirmationFrame } from '../wire/read-response';
import { type Call } from '../wire/server';
import { type ResolvedEvent } from '../streams/reader';
import { Consumer, createStrategy, type Strategy } from './consumer';
import { type ConnectRequest, type GroupInfo, type NackAction } from './messages';
import { type StoredGroup } from './settings';

/** What a group needs from the engine. */
export interface GroupHost {
  /** Events of the source from a place on that the group wants; `next` is past those that it does not want, too. */
  read(
    from: number,
    limit: number,
  ): { messages: { place: number; event: ResolvedEvent }[]; next: number; end: boolean };
  /** Stores the group with its checkpoint. */
  save(group: StoredGroup): void;
  /** Puts a link to the message into the parked stream. */
  park(event: ResolvedEvent, reason: string): void;
  parkedCount(): number;
  /** Last place of the source, null while it is empty. */
  lastKnown(): number | null;
}

interface Message {
  id: string;
  event: ResolvedEvent;
  retryCount: number;
  /** The entry in the window that this message completes; replayed messages have none. */
  entry: WindowEntry | undefined;
  consumer?: Consumer | undefined;
  /** Milliseconds since the epoch, both. */
  sentAt: number;
  deadline: number;
}

/** A place in the source, in order of reading. */
interface WindowEntry {
  place: number;
  done: boolean;
}

/** Places read and not yet covered by a checkpoint; reading waits above it, so that one stuck message bounds memory. */
const MAX_WINDOW = 10_000;
const MIN_TICK = 20;
const MAX_TICK = 1000;

export class Group {
  private readonly consumers: Consumer[] = [];
  private readonly strategy: Strategy;
  private readonly retries: Message[] = [];
  private readonly buffer: Message[] = [];
  private readonly outstanding = new Map<string, Message>();
  private window: WindowEntry[] = [];
  private next: number;
  private live = false;
  private processed = 0;
  private measured = 0;
  private sinceCheckpoint = 0;
  private completed: number | null;
  private checkedAt = Date.now();
  private readonly since = Date.now();
  private timer: NodeJS.Timeout | undefined;
  private scheduled = false;
  private closed = false;

  constructor(
    readonly stored: StoredGroup,
    private readonly host: GroupHost,
  ) {
    this.strategy = createStrategy(stored.settings.strategy);
    this.next = stored.checkpoint === null ? stored.begin : stored.checkpoint + 1;
    this.completed = stored.checkpoint;
  }

  /** @throws GrpcError when the group is full */
  connect({ bufferSize, structuredIds }: ConnectRequest, call: Call): Consumer {
    const { stream, group, settings } = this.stored;
    if (settings.maxSubscriberCount > 0 && this.consumers.length >= settings.maxSubscriberCount) {
      throw esError.maximumSubscribersReached(stream, group);
    }
    const consumer = new Consumer(call, bufferSize, structuredIds, settings.extraStatistics);
    call.send(confirmationFrame(consumer.id));
    this.consumers.push(consumer);
    call.onClose(() => this.disconnect(consumer));
    this.timer ??= setInterval(() => this.tick(), this.tickInterval()).unref();
    this.pump();
    return consumer;
  }

  ack(consumer: Consumer, ids: string[]): void {
    for (const id of ids) {
      const message = this.take(consumer, id);
      if (message) this.complete(message);
    }
    this.pump();
  }

  nack(consumer: Consumer, ids: string[], action: NackAction, reason: string): void {
    for (const id of ids) {
      const message = this.take(consumer, id);
      if (!message) continue;
      switch (action) {
        case 'park':
          this.park(message, `Client explicitly NAK'ed message.\n${reason}`);
          break;
        case 'retry':
          this.retry(message);
          break;
        case 'skip':
          this.complete(message);
          break;
        case 'stop':
          // The message is not processed: it goes to whoever is connected then.
          this.retries.push(message);
          break;
      }
    }
    if (action === 'stop') consumer.call.end();
    this.pump();
  }

  /** Something was written to the source. */
  wake(): void {
    this.pump();
  }

  /** Sends parked messages again, before anything else. */
  replay(parked: ResolvedEvent[]): void {
    for (const event of parked) this.retries.push(newMessage(event, undefined));
    this.pump();
  }

  /** Sends every consumer away. */
  close(reason: GrpcError): void {
    this.closed = true;
    clearInterval(this.timer);
    for (const { call } of this.consumers) call.end(reason);
  }

  /** Writes the checkpoint, if there is anything new to remember. */
  checkpoint(): void {
    if (this.completed === this.stored.checkpoint) return;
    this.stored.checkpoint = this.completed;
    this.sinceCheckpoint = 0;
    this.host.save(this.stored);
  }

  info(): GroupInfo {
    const { stream, group, settings, startFrom } = this.stored;
    const countSinceLastMeasurement = this.processed - this.measured;
    this.measured = this.processed;
    return {
      stream,
      group,
      settings,
      startFrom,
      status: this.live || this.consumers.length === 0 ? 'Live' : 'Behind',
      connections: this.consumers.map((consumer) => consumer.info()),
      averagePerSecond: Math.round((this.processed * 1000) / Math.max(1, Date.now() - this.since)),
      totalItems: this.processed,
      countSinceLastMeasurement,
      lastCheckpointed: this.stored.checkpoint,
      lastKnown: this.host.lastKnown(),
      readBuffer: this.buffer.length,
      retryBuffer: this.retries.length,
      inFlight: this.consumers.reduce((sum, { inFlight }) => sum + inFlight, 0),
      outstanding: this.outstanding.size,
      parked: this.host.parkedCount(),
    };
  }

  private disconnect(consumer: Consumer): void {
    this.consumers.splice(this.consumers.indexOf(consumer), 1);
    for (const [id, message] of this.outstanding) {
      if (message.consumer !== consumer) continue;
      this.outstanding.delete(id);
      message.retryCount++;
      this.retries.push(message);
    }
    if (this.consumers.length === 0) {
      clearInterval(this.timer);
      this.timer = undefined;
      if (!this.closed) this.checkpoint();
    } else this.pump();
  }

  /** Hands out what can be handed out, reading on as long as somebody is free. */
  private pump(): void {
    if (this.closed) return;
    this.dispatch(this.retries);
    this.dispatch(this.buffer);
    while (this.buffer.length === 0 && this.window.length < MAX_WINDOW && this.consumers.some(({ free }) => free)) {
      const page = this.host.read(this.next, this.stored.settings.readBatchSize);
      const moved = page.next > this.next;
      this.next = page.next;
      this.live = page.end;
      for (const { place, event } of page.messages) {
        const entry = { place, done: false };
        this.window.push(entry);
        this.buffer.push(newMessage(event, entry));
      }
      if (moved) this.passOver(page.next - 1);
      this.dispatch(this.buffer);
      if (page.end) return;
      if (page.messages.length === 0) return this.pumpLater();
    }
  }

  /** Long stretches without a match must not hold up other calls. */
  private pumpLater(): void {
    if (this.scheduled) return;
    this.scheduled = true;
    setImmediate(() => {
      this.scheduled = false;
      this.pump();
    });
  }

  /** Events that the filter left out count as processed once all before them are. */
  private passOver(place: number): void {
    const last = this.window.at(-1);
    if (last && last.place >= place) return;
    if (last?.done) last.place = place;
    else this.window.push({ place, done: true });
    this.advance();
  }

  private dispatch(queue: Message[]): void {
    for (let i = 0; i < queue.length;) {
      const message = queue[i]!;
      // An id that is still out (ids are not unique in a stream) waits, because answers name messages by id.
      const consumer = this.outstanding.has(message.id) ? undefined : this.strategy(this.consumers, message.event);
      if (!consumer) {
        if (!this.consumers.some(({ free }) => free)) return;
        i++; // Its own consumer is busy; that of the next one may not be.
        continue;
      }
      queue.splice(i, 1);
      this.send(message, consumer);
    }
  }

  private send(message: Message, consumer: Consumer): void {
    const { messageTimeout } = this.stored.settings;
    message.consumer = consumer;
    message.sentAt = Date.now();
    message.deadline = messageTimeout > 0 ? message.sentAt + messageTimeout : Infinity;
    this.outstanding.set(message.id, message);
    consumer.send(message.event, message.retryCount);
    this.processed++;
  }

  /** Takes back a message that its consumer answered; answers to messages it does not have are late or wrong. */
  private take(consumer: Consumer, id: string): Message | undefined {
    const message = this.outstanding.get(id);
    if (message?.consumer !== consumer) return undefined;
    this.outstanding.delete(id);
    consumer.answered(message.sentAt);
    return message;
  }

  private retry(message: Message): void {
    const { maxRetryCount } = this.stored.settings;
    if (message.retryCount >= maxRetryCount) return this.park(message, `Reached retry count of ${maxRetryCount}`);
    message.retryCount++;
    this.retries.push(message);
  }

  private park(message: Message, reason: string): void {
    this.host.park(message.event, reason);
    this.complete(message);
  }

  private complete(message: Message): void {
    if (!message.entry) return;
    message.entry.done = true;
    this.sinceCheckpoint++;
    this.advance();
    if (this.sinceCheckpoint >= this.stored.settings.maxCheckpointCount) this.checkpoint();
  }

  /** Moves past everything that is processed without a gap. */
  private advance(): void {
    let count = 0;
    while (this.window[count]?.done) count++;
    if (count === 0) return;
    this.completed = this.window[count - 1]!.place;
    this.window = this.window.slice(count);
  }

  private tick(): void {
    const now = Date.now();
    for (const message of [...this.outstanding.values()]) {
      if (message.deadline > now || !message.consumer) continue;
      this.take(message.consumer, message.id);
      this.retry(message);
    }
    const { checkpointAfter, minCheckpointCount } = this.stored.settings;
    if (now - this.checkedAt >= checkpointAfter) {
      this.checkedAt = now;
      if (this.sinceCheckpoint >= minCheckpointCount) this.checkpoint();
    }
    this.pump();
  }

  private tickInterval(): number {
    const { messageTimeout, checkpointAfter } = this.stored.settings;
    const shortest = Math.min(messageTimeout || MAX_TICK, checkpointAfter || MAX_TICK);
    return Math.max(MIN_TICK, Math.min(MAX_TICK, shortest / 4));
  }
}

function newMessage(event: ResolvedEvent, entry: WindowEntry | undefined): Message {
  const record = event.link ?? event.event;
  return { id: record ? recordId(record) : '', event, retryCount: 0, entry, sentAt: 0, deadline: Infinity };
}
