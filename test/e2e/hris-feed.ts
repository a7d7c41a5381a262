import { jetstream, type JetStreamClient, jetstreamManager } from '@nats-io/jetstream';
import { connect, createInbox, headers, type NatsConnection, type Subscription } from '@nats-io/transport-node';
import { randomUUID } from 'node:crypto';
import { HRIS_DEAD_LETTERS } from '../../apps/people/hris-consumer';
import type { Receipt } from '../../infra/nats';

export interface DeadLetter {
  readonly subject: string;
  readonly reason: string;
  readonly payload: string;
}

/** An HRIS that publishes to JetStream and asks for the receipt of each message. */
export class HrisFeed {
  private constructor(
    private readonly nats: NatsConnection,
    private readonly js: JetStreamClient,
  ) {}

  static async connect(url: string): Promise<HrisFeed> {
    const nats = await connect({ servers: url });
    return new HrisFeed(nats, jetstream(nats, { timeout: 100_000 }));
  }

  /** A fact as a CloudEvent with an id of its own, or the one given, which is also its `Nats-Msg-Id`. */
  publish(
    kind: string,
    data: object,
    { tenant = 'acme', id }: { tenant?: string; id?: string } = {},
  ): Promise<Receipt> {
    const event = cloudEvent(id ?? randomUUID(), kind, data);
    return this.publishRaw(`hris.${tenant}.person.${kind}`, JSON.stringify(event), event.id);
  }

  /** Any payload on any subject, without `Nats-Msg-Id` unless one is given. */
  async publishRaw(subject: string, payload: string, msgID?: string): Promise<Receipt> {
    const inbox = createInbox();
    const receipts = this.nats.subscribe(inbox, { max: 1, timeout: 100_000 });
    const sent = headers();
    sent.set('Attest-Receipt', inbox);
    await this.js.publish(subject, payload, { headers: sent, ...(msgID !== undefined && { msgID }) });
    return receiptOf(receipts);
  }

  async deadLetters(): Promise<DeadLetter[]> {
    const manager = await jetstreamManager(this.nats);
    const { state } = await manager.streams.info(HRIS_DEAD_LETTERS.name);
    const letters: DeadLetter[] = [];
    for (let seq = state.first_seq; seq <= state.last_seq && state.messages > 0; seq++) {
      const message = await manager.streams.getMessage(HRIS_DEAD_LETTERS.name, { seq });
      const { subject, header } = message!;
      letters.push({ subject, reason: header.get('Attest-Reason'), payload: message!.string() });
    }
    return letters;
  }

  close(): Promise<void> {
    return this.nats.close();
  }
}

export function cloudEvent(id: string, kind: string, data: object) {
  return {
    specversion: '1.0',
    id,
    source: 'https://hris.example.com/test',
    type: `com.example.hris.person.${kind}`,
    time: '2026-01-01T00:00:00Z',
    datacontenttype: 'application/json',
    data,
  };
}

async function receiptOf(receipts: Subscription): Promise<Receipt> {
  for await (const message of receipts) return message.json<Receipt>();
  throw new Error('the connection ended before the receipt came');
}
