/** The RPCs of PersistentSubscriptions. */
import { asGrpcError } from '../streams/append';
import { frame } from '../wire/frame';
import { esError } from '../wire/grpc-error';
import { type Call, type Method, type Services, type StreamHandler } from '../wire/server';
import { type Consumer } from './consumer';
import { type Group } from './group';
import {
  decodeDefinition,
  decodeGroupName,
  decodeList,
  decodeReadMessage,
  decodeReplay,
  DELETE_FIELDS,
  INFO_FIELDS,
  infoFrame,
  listFrame,
} from './messages';
import { type PersistentSubscriptions } from './subsystem';

const SERVICE = '/event_store.client.persistent_subscriptions.PersistentSubscriptions';

/** Every method of the service, by path. */
export function persistentSubscriptionServices(subscriptions: PersistentSubscriptions): Services {
  return {
    [`${SERVICE}/Create`]: unary((message) => subscriptions.create(decodeDefinition(message))),
    [`${SERVICE}/Update`]: unary((message) => subscriptions.update(decodeDefinition(message))),
    [`${SERVICE}/Delete`]: unary((message) => subscriptions.delete(decodeGroupName(message, DELETE_FIELDS))),
    [`${SERVICE}/ReplayParked`]: unary((message) => {
      const { limit, ...name } = decodeReplay(message);
      return subscriptions.replayParked(name, limit);
    }),
    [`${SERVICE}/RestartSubsystem`]: unary(() => subscriptions.restart()),
    [`${SERVICE}/GetInfo`]: unary((message) =>
      infoFrame(subscriptions.get(decodeGroupName(message, INFO_FIELDS)).info()),
    ),
    [`${SERVICE}/List`]: unary((message) => {
      const stream = decodeList(message);
      const groups = subscriptions.list(stream);
      if (stream !== undefined && groups.length === 0) throw esError.persistentSubscriptionDoesNotExist(stream, '');
      return listFrame(groups.map((group) => group.info()));
    }),
    [`${SERVICE}/Read`]: { stream: (call) => new ConsumerCall(call, subscriptions) },
  };
}

/** Answers with a frame, or with an empty message. */
function unary(act: (message: Buffer) => Buffer | Promise<void>): Method {
  return {
    request: async (message, call) => {
      try {
        call.send((await act(message)) ?? frame(() => undefined));
        call.end();
      } catch (error) {
        throw asGrpcError(error);
      }
    },
  };
}

/** A connected consumer: its first message names the group, the others answer messages. */
class ConsumerCall implements StreamHandler {
  private group: Group | undefined;
  private consumer: Consumer | undefined;

  constructor(
    private readonly call: Call,
    private readonly subscriptions: PersistentSubscriptions,
  ) {}

  onMessage(bytes: Buffer): void {
    const message = decodeReadMessage(bytes);
    if (message.kind === 'connect') {
      if (this.group) throw esError.invalidArgument('The call is connected to its group already');
      this.group = this.subscriptions.get(message.request);
      this.consumer = this.group.connect(message.request, this.call);
      return;
    }
    if (!this.group || !this.consumer) throw esError.invalidArgument('The first message must name the group');
    if (message.kind === 'ack') this.group.ack(this.consumer, message.ids);
    else this.group.nack(this.consumer, message.ids, message.action, message.reason);
  }

  onEnd(): void {
    this.call.end();
  }
}
