import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  jetstream,
  type JetStreamClient,
  type JetStreamManager,
  jetstreamManager,
  type JsMsg,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { abortableDelay } from '../abortable-delay';
import type { Log } from '../log';

export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  /** For how many days a message is kept; takes effect when the stream is made. */
  readonly days: number;
}

/** How a message is dealt with. */
export interface Treatment {
  /** Messages of one key are applied in order, others side by side. */
  readonly key: string;
  readonly apply: () => Promise<Outcome>;
  /** Whether nothing of the message may be kept, asked after it was applied or refused: then it is overwritten. */
  readonly mustForget: () => Promise<boolean>;
}

/** What became of a message; sent to the subject in its header `Attest-Receipt`, when it has one. */
export interface Receipt {
  /** The message's `Nats-Msg-Id`. */
  readonly id: string;
  readonly outcome: Outcome | 'refused';
  readonly reason?: string;
}

export type Outcome = 'accepted' | 'already-known';

export interface ConsumerOptions {
  readonly stream: StreamDefinition;
  /** Gets `dead-letter.<subject>` with the headers `Attest-Reason` and `Attest-Sequence`. */
  readonly deadLetters: StreamDefinition;
  readonly durable: string;
  readonly log: Log;
  /** @throws what the message is refused with */
  readonly read: (message: { subject: string; data: Uint8Array }) => Treatment;
  /** Whether a failure is for good (dead letter) or for now (try again). */
  readonly isFinal: (error: unknown) => boolean;
}

const DAY_IN_NANOSECONDS = 24 * 3_600 * 1_000_000_000;
const ACK_WAIT = 30_000;
const IN_FLIGHT = 256;
const RETRY = { first: 100, longest: 5_000 };
/** How long JetStream may take for an answer, in milliseconds. */
const TIMEOUT = 30_000;

/** A durable pull consumer that acknowledges a message only when it has been applied or stands among the dead letters. */
export class JetStreamConsumer {
  private readonly lanes = new Map<string, Promise<void>>();
  /** By sequence in the stream: delivered, and neither acknowledged nor given up. */
  private readonly held = new Map<number, JsMsg>();
  /** What waits here behind others is not to be delivered again. */
  private readonly heartbeat = setInterval(() => {
    for (const message of this.held.values()) message.working();
  }, ACK_WAIT / 3);
  private readonly stopping = new AbortController();

  private constructor(
    private readonly nats: NatsConnection,
    private readonly js: JetStreamClient,
    private readonly manager: JetStreamManager,
    private readonly messages: ConsumerMessages,
    private readonly options: ConsumerOptions,
  ) {}

  /** Creates the streams and the consumer when they are missing, and begins. */
  static async start(nats: NatsConnection, options: ConsumerOptions): Promise<JetStreamConsumer> {
    const manager = await jetstreamManager(nats, { timeout: TIMEOUT });
    for (const { name, subjects, days } of [options.stream, options.deadLetters]) {
      const kept = { storage: StorageType.File, retention: RetentionPolicy.Limits, max_age: days * DAY_IN_NANOSECONDS };
      const config = { name, subjects: [...subjects], ...kept };
      const known = await manager.streams.info(name).catch((error: Error) => {
        if (error.message.includes('stream not found')) return undefined;
        throw error;
      });
      if (!known) await manager.streams.add(config);
    }
    await manager.consumers.add(options.stream.name, {
      durable_name: options.durable,
      ack_policy: AckPolicy.Explicit,
      deliver_policy: DeliverPolicy.All,
      ack_wait: ACK_WAIT * 1_000_000,
      max_ack_pending: IN_FLIGHT,
    });
    const js = jetstream(nats, { timeout: TIMEOUT });
    const consumer = await js.consumers.get(options.stream.name, options.durable);
    const messages = await consumer.consume({ max_messages: IN_FLIGHT });
    const started = new JetStreamConsumer(nats, js, manager, messages, options);
    void started.run();
    return started;
  }

  /** Takes no more messages and waits for those under way. */
  async stop(): Promise<void> {
    this.stopping.abort();
    await this.messages.close();
    await Promise.all(this.lanes.values());
    clearInterval(this.heartbeat);
  }

  private async run(): Promise<void> {
    for await (const message of this.messages) {
      if (this.held.has(message.seq)) continue; // delivered again while the first delivery is under way
      this.held.set(message.seq, message);
      const { key, work } = this.prepare(message);
      const lane = (this.lanes.get(key) ?? Promise.resolve()).then(work);
      this.lanes.set(key, lane);
      void lane.then(() => {
        this.held.delete(message.seq);
        if (this.lanes.get(key) === lane) this.lanes.delete(key);
      });
    }
  }

  private prepare(message: JsMsg): { key: string; work: () => Promise<void> } {
    try {
      const treatment = this.options.read(message);
      return { key: treatment.key, work: () => this.settle(message, treatment) };
    } catch (reason) {
      const error = reason instanceof Error ? reason : new Error(String(reason));
      const key = `unreadable:${message.seq}`;
      const apply = (): Promise<Outcome> => Promise.reject(error);
      return { key, work: () => this.settle(message, { key, apply, mustForget: () => Promise.resolve(false) }) };
    }
  }

  /** Applies until it succeeds or fails for good; never rejects. Stopped in between, the message comes again. */
  private async settle(message: JsMsg, { apply, mustForget }: Treatment): Promise<void> {
    const { log, isFinal, stream } = this.options;
    for (let wait = RETRY.first; !this.stopping.signal.aborted; wait = Math.min(wait * 2, RETRY.longest)) {
      try {
        const settled = await apply().then(
          (outcome) => ({ outcome }),
          async (error: unknown) => {
            if (!isFinal(error)) throw error;
            return { outcome: 'refused', reason: await this.bury(message, error as Error, mustForget) } as const;
          },
        );
        if (await mustForget()) await this.manager.streams.deleteMessage(stream.name, message.seq, true);
        message.ack();
        this.sendReceipt(message, settled);
        return;
      } catch (error) {
        log.warn(
          { subject: message.subject, seq: message.seq, err: error, retryInMs: wait },
          'not applied; trying again',
        );
        await abortableDelay(wait, this.stopping.signal);
      }
    }
  }

  /** @returns the reason */
  private async bury(message: JsMsg, error: Error, mustForget: () => Promise<boolean>): Promise<string> {
    const { log, stream } = this.options;
    log.warn({ subject: message.subject, seq: message.seq, reason: error.message }, 'dead letter');
    const reason = headers();
    // A header is one line of ASCII.
    reason.set('Attest-Reason', `${error.name}: ${error.message}`.replace(/[^\x20-\x7e]+/g, ' '));
    reason.set('Attest-Sequence', String(message.seq));
    const msgID = `${stream.name}:${message.seq}`;
    const data = (await mustForget()) ? undefined : message.data;
    await this.js.publish(`dead-letter.${message.subject}`, data, { headers: reason, msgID });
    return error.message;
  }

  private sendReceipt(message: JsMsg, settled: Omit<Receipt, 'id'>): void {
    const to = message.headers?.get('Attest-Receipt');
    if (!to) return;
    const receipt: Receipt = { id: message.headers?.get('Nats-Msg-Id') ?? '', ...settled };
    this.nats.publish(to, JSON.stringify(receipt));
  }
}
