import { setTimeout as delay } from 'node:timers/promises';
import type { EventBatch, LogReader, RecordedEvent, SubscribeOptions } from '../../packages/eventsourcing';

/** How far long work is. */
export interface Progress {
  /** Positions of the log: up to where it is read, and where it ends. */
  readonly position: string;
  readonly head: string;
  /** What else is being done, once it is read; for people. */
  readonly doing?: string | undefined;
}

export type Tell = (progress: Progress) => void;

/** What long work gives: how far it is, now and then, and its result as the last thing. */
export type Step<Result> = { readonly progress: Progress } | { readonly result: Result };

/** How often long work tells how far it is, in milliseconds. */
export const TELL_EVERY = 200;

/** Work that tells how far it is as often as it likes, in steps that somebody can follow. */
export async function* stepsOf<Result>(work: (tell: Tell) => Promise<Result>): AsyncGenerator<Step<Result>> {
  const told: { progress?: Progress } = {};
  const result = work((progress) => (told.progress = progress)).then((value) => ({ result: value }));
  for (;;) {
    const ended = await Promise.race([result, delay(TELL_EVERY, undefined, { ref: false })]);
    if (ended) {
      yield ended;
      return;
    }
    if (told.progress) yield { progress: told.progress };
    delete told.progress;
  }
}

/** The log, which tells how far it is read whenever all of it is. */
export class ToldReading implements LogReader {
  private end = 0n;

  constructor(
    private readonly log: LogReader,
    private readonly tell: Tell,
  ) {}

  readStream(stream: string): AsyncIterable<RecordedEvent> {
    return this.log.readStream(stream);
  }

  async head(): Promise<bigint | undefined> {
    const head = await this.log.head();
    this.end = head ?? 0n;
    return head;
  }

  async *subscribeToAll(options: SubscribeOptions): AsyncGenerator<EventBatch> {
    for await (const batch of this.log.subscribeToAll(options)) {
      const { position } = batch;
      this.at(position < this.end ? position : this.end);
      yield batch;
    }
  }

  /** What is done with what was read. */
  turnsTo(doing: string): void {
    this.at(this.end, doing);
  }

  private at(position: bigint, doing?: string): void {
    this.tell({ position: position.toString(), head: this.end.toString(), doing });
  }
}
