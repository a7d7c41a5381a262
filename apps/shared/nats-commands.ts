import { Controller, type Type } from '@nestjs/common';
import {
  Ctx,
  type Deserializer,
  MessagePattern,
  NatsContext,
  Payload,
  type Serializer,
  Transport,
} from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { headers, type Msg, type MsgHdrs } from '@nats-io/transport-node';
import { TokenVerifier } from '../../packages/auth';
import { InvalidCommandError } from '../../packages/commands';
import { answerOf, type CommandAnswer, CommandDispatcher } from './command-dispatcher';
import { type Problem, Problems } from './problems';

/** What is sent: the token, or in the header `authorization`; an id that a retry repeats; the command's data. */
interface CommandMessage {
  readonly data?: unknown;
  readonly id?: string;
  readonly token?: string;
}

export type CommandReply = CommandAnswer | { readonly outcome: 'refused'; readonly problem: Problem };

/**
 * The request/reply door of one context: subject `attest.<context>.<command>`, for example `attest.enrollment.enroll-learner`.
 * Every service that hosts a context joins one queue group, so that each request is answered once.
 */
export function natsCommandsOf(context: string): Type {
  @Controller()
  class NatsCommandsController {
    constructor(
      private readonly dispatcher: CommandDispatcher,
      private readonly verifier: TokenVerifier,
      private readonly problems: Problems,
    ) {}

    @MessagePattern(`attest.${context}.*`, Transport.NATS)
    async command(@Payload() message: CommandMessage, @Ctx() nats: NatsContext): Promise<CommandReply> {
      const [subject, sent] = nats.getArgs() as unknown as [string, MsgHdrs | undefined];
      try {
        const authorization = message?.token ? `Bearer ${message.token}` : sent?.get('authorization');
        const caller = await this.verifier.verify(authorization);
        if (message?.id !== undefined && typeof message.id !== 'string') {
          throw new InvalidCommandError([{ field: 'id', problem: 'must be a string that a retry repeats' }]);
        }
        const name = subject.slice(subject.lastIndexOf('.') + 1);
        const result = await this.dispatcher.dispatch(name, message?.data, { caller, via: 'nats', id: message?.id });
        return answerOf(result);
      } catch (error) {
        return { outcome: 'refused', problem: this.problems.of(error, { subject }) };
      }
    }
  }
  return NatsCommandsController;
}

/** Nest's own clients wrap what they send as `{pattern, data, id}` and expect `{response, isDisposed, id}`; others send plain JSON. */
const PLAIN = 'plain';

const deserializer: Deserializer<Msg> = {
  deserialize(message, options) {
    let sent: { pattern?: unknown; id?: unknown } | undefined;
    try {
      sent = message.json();
    } catch {
      sent = undefined; // answered as a message without token or data
    }
    if (sent?.pattern !== undefined && sent.id !== undefined) return sent as never;
    return { pattern: (options as { channel: string }).channel, data: sent ?? {}, id: PLAIN };
  },
};

const serializer: Serializer<{ id?: string; response?: unknown; isDisposed?: boolean }> = {
  serialize(packet) {
    if (packet.id !== PLAIN) return { data: JSON.stringify(packet), headers: headers() };
    return { data: JSON.stringify(packet.response), headers: headers() };
  },
};

export function natsOptions(servers: string): MicroserviceOptions {
  return {
    transport: Transport.NATS,
    options: { servers, queue: 'attest', name: 'attest-commands', maxReconnectAttempts: -1, serializer, deserializer },
  };
}
