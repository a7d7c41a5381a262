import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { NatsConnection } from '@nats-io/transport-node';
import { LOG, NATS } from '../../infra/engines.module';
import type { Log } from '../../infra/log';
import { JetStreamConsumer, type Treatment } from '../../infra/nats';
import { CommandPipeline, type CommandResult } from '../../packages/eventsourcing';
import { personDecider } from '../../packages/people';
import { CommandDispatcher } from '../shared/command-dispatcher';
import { isFinalRefusal } from '../shared/problems';
import { type HrisCommand, readHrisFact, UnusableFactError } from './hris-facts';

/** Applied messages are kept for as long as somebody may want to look at them; those that nobody applies for 90 days are lost. */
export const HRIS_STREAM = { name: 'HRIS', subjects: ['hris.>'], days: 90 };
export const HRIS_DEAD_LETTERS = { name: 'HRIS_DEAD_LETTERS', subjects: ['dead-letter.hris.>'], days: 365 };

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
    private readonly pipeline: CommandPipeline,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (!this.nats) return;
    this.consumer = await JetStreamConsumer.start(this.nats, {
      stream: HRIS_STREAM,
      deadLetters: HRIS_DEAD_LETTERS,
      durable: 'attest-people',
      log: this.log,
      read: (message) => this.treat(readHrisFact(message.subject, message.data)),
      isFinal: (error) => error instanceof UnusableFactError || isFinalRefusal(error),
    });
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.consumer?.stop();
  }

  /** A name that comes after the person was erased is not taken, and not kept in the stream either. */
  private treat(fact: HrisCommand): Treatment {
    const { tenant, person, data } = fact;
    let isFirst = false;
    return {
      key: person,
      apply: async () => {
        const { outcome, revision, events } = await this.apply(fact);
        isFirst = revision + 1 === events.length;
        return outcome;
      },
      mustForget: async () => {
        if (isFirst || !('name' in data || 'email' in data)) return false;
        return (await this.pipeline.stateOf(personDecider, tenant, person)).isErased;
      },
    };
  }

  private apply({ tenant, type, data, commandId, cloudEventId }: HrisCommand): Promise<CommandResult> {
    const delivery = { via: 'hris', id: commandId, correlationId: cloudEventId, causationId: cloudEventId };
    const caller = { sub: 'hris', tenant, roles: ['service'] as const };
    return this.dispatcher.dispatch(type, data, { ...delivery, caller });
  }
}
