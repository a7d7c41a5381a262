/** Append, Delete and Tombstone: one command, one answer. */
import { type Writer, WriteFailedError, type WriteOutcome } from '../storage/writer';
import { esError, GrpcError, Status } from '../wire/grpc-error';
import { MessageReader } from '../wire/protobuf';
import { type Call, type Method, type StreamHandler } from '../wire/server';
import {
  appendSuccessFrame,
  appendWrongVersionFrame,
  decodeProposed,
  decodeStreamCommand,
  decodeUnaryCommand,
  positionFrame,
  type ProposedEvent,
  type StreamCommand,
} from './messages';

/** Largest append in bytes; the default of EventStoreDB up to 25.0 (`ClusterVNodeOptions.MaxAppendSize`). */
export const MAX_APPEND_SIZE = 1024 * 1024;

/** What a client sees when the disk failed: unavailable, so that it keeps its events and tries again later. */
export function asGrpcError(error: unknown): unknown {
  return error instanceof WriteFailedError ? new GrpcError(Status.UNAVAILABLE, error.message) : error;
}

/** Collects the messages of one Append call and writes them when the client has sent all. */
export function appendMethod(writer: Writer): Method {
  return { stream: (call) => new AppendCall(call, writer) };
}

class AppendCall implements StreamHandler {
  private command: StreamCommand | undefined;
  private readonly events: ProposedEvent[] = [];
  private size = 0;

  constructor(
    private readonly call: Call,
    private readonly writer: Writer,
  ) {}

  onMessage(message: Buffer): void {
    const reader = new MessageReader(message);
    while (reader.next()) {
      if (reader.field === 1) this.command = decodeStreamCommand(reader.message());
      else if (reader.field === 2) {
        const event = decodeProposed(reader.message());
        this.size += event.size;
        if (this.size > MAX_APPEND_SIZE) throw esError.maximumAppendSizeExceeded(MAX_APPEND_SIZE);
        this.events.push(event);
      }
    }
  }

  onEnd(): void {
    const { command } = this;
    if (!command) throw esError.invalidArgument('The first message must carry the options of the append');
    this.writer.append(command.stream, command.expected, this.events).then(
      (outcome) => this.answer(command, outcome),
      (error: unknown) => this.call.end(asGrpcError(error)),
    );
  }

  private answer({ stream, expected }: StreamCommand, outcome: WriteOutcome): void {
    switch (outcome.kind) {
      case 'success':
        this.call.send(appendSuccessFrame(outcome.revision, outcome.position));
        return this.call.end();
      case 'wrong-expected-version':
        this.call.send(appendWrongVersionFrame(outcome.current, expected));
        return this.call.end();
      case 'stream-deleted':
        return this.call.end(esError.streamDeleted(stream));
    }
  }
}

/** Delete (`soft`) and Tombstone. Unlike Append, a wrong expected version is an error here. */
export function deleteMethod(writer: Writer, soft: boolean): Method {
  return {
    request: async (message, call) => {
      const { stream, expected } = decodeUnaryCommand(message);
      const write = soft ? writer.delete(stream, expected) : writer.tombstone(stream, expected);
      const outcome = await write.catch((error: unknown) => {
        throw asGrpcError(error);
      });
      if (outcome.kind === 'stream-deleted') throw esError.streamDeleted(stream);
      if (outcome.kind === 'wrong-expected-version') {
        throw esError.wrongExpectedVersion(stream, expected, outcome.current);
      }
      call.send(positionFrame(outcome.position ?? 0));
      call.end();
    },
  };
}
