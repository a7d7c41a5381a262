import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { LOG, NATS } from '../../infra/engines.module';
import type { Log } from '../../infra/log';
import { JetStreamConsumer, type Outcome } from '../../infra/nats';
import { CommandDispatcher } from '../shared/command-dispatcher';
import { isFinalRefusal } from '../shared/problems';
import { type HrisCommand, readHrisFact, UnusableFactError } from './hris-facts';

export const HRIS_STREAM = { name: 'HRIS', subjects: ['hris.>'] };
export const HRIS_DEAD_LETTERS = { name: 'HRIS_DEAD_LETTERS', subjects: ['dead-letter.hris.>'] };

/**
 * Applies the HRIS's facts: acknowledged only after the append, in order per person, once per CloudEvent id. What cannot be applied goes
 * to the dead letters with its reason and does not hold up the rest; what cannot be applied yet is tried until it can.
 */
@Injectable()
export class HrisConsumer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private consumer: JetStreamConsumer | undefined;

  constructor(
    @Inject(NATS) private readonly nats: NatsConnection | null,
    @Inject(LOG) private readonly log: Log,
    private readonly dispatcher: CommandDispatcher,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!this.nats) return;
    this.consumer = await JetStreamConsumer.start(this.nats, {
      stream: HRIS_STREAM,
      deadLetters: HRIS_DEAD_LETTERS,
      durable: 'attest-people',
      log: this.log,
      read: (message) => {
        const fact = readHrisFact(message.subject, message.data);
        return { key: fact.person, apply: () => this.apply(fact) };
      },
      isFinal: (error) => error instanceof UnusableFactError || isFinalRefusal(error),
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.consumer?.stop();
  }

  private async apply({ tenant, type, data, commandId, cloudEventId }: HrisCommand): Promise<Outcome> {
    const delivery = { via: 'hris', id: commandId, correlationId: cloudEventId, causationId: cloudEventId };
    const caller = { sub: 'hris', tenant, roles: ['service'] as const };
    return (await this.dispatcher.dispatch(type, data, { ...delivery, caller })).outcome;
  }
}
