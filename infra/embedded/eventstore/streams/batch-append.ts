/**
 * BatchAppend: one call per client, open as long as the client lives, many appends multiplexed by correlation id.
 * Each gets exactly one answer: the client keeps a promise per id without a timer, and fails on an id it does not know.
 */
import { ANY, STREAM_EXISTS } from '../storage/expected-revision';
import { type Writer, type WriteOutcome } from '../storage/writer';
import { frame } from '../wire/frame';
import { GrpcError, Status } from '../wire/grpc-error';
import { MalformedMessageError, MessageReader, type MessageWriter } from '../wire/protobuf';
import { type Call, type Method, type StreamHandler } from '../wire/server';
import { asGrpcError, MAX_APPEND_SIZE } from './append';
import { decodeProposed, decodeStreamCommand, type ProposedEvent, type StreamCommand, writeSuccess } from './messages';

export function batchAppendMethod(writer: Writer): Method {
  return { stream: (call) => new BatchAppendCall(call, writer) };
}

/** An append of which not all parts have arrived, or which waits for the disk. */
interface Pending {
  /** The `UUID` message of the client, sent back byte for byte. */
  correlation: Buffer;
  command: StreamCommand | undefined;
  /** Milliseconds since the epoch. */
  deadline: number;
  events: ProposedEvent[];
  /** As counted against the append limit. */
  appendSize: number;
  /** Bytes of the messages that are kept until the last one arrives. */
  received: number;
  error: Failure | undefined;
  answered: boolean;
}

/** A `google.rpc.Status` with its detail: the client picks its error class by the type of the detail. */
interface Failure {
  code: number;
  message: string;
  type:
    'WrongExpectedVersion' | 'StreamDeleted' | 'Timeout' | 'MaximumAppendSizeExceeded' | 'AccessDenied' | 'BadRequest';
  detail: (writer: MessageWriter) => unknown;
}

/** Bytes of unfinished appends that one call may hold. */
const MAX_UNFINISHED = 64 * 1024 * 1024;
/** How often waiting appends are looked at for their deadline, in milliseconds. */
const DEADLINE_CHECK = 250;

class BatchAppendCall implements StreamHandler {
  private readonly unfinished = new Map<string, Pending>();
  private unfinishedBytes = 0;
  private readonly waiting = new Set<Pending>();
  private timer: NodeJS.Timeout | undefined;
  private ended = false;
  private paused = false;

  constructor(
    private readonly call: Call,
    private readonly writer: Writer,
  ) {
    call.onClose(() => clearInterval(this.timer));
  }

  onMessage(message: Buffer): void {
    const reader = new MessageReader(message);
    let pending: Pending | undefined;
    let key = '';
    let final = false;
    while (reader.next()) {
      if (reader.field === 1) {
        const correlation = reader.bytes();
        key = correlation.toString('latin1');
        pending = this.unfinished.get(key) ?? newPending(correlation);
      } else if (!pending) throw new MalformedMessageError('the correlation id is missing');
      else if (reader.field === 2) readOptions(pending, reader.message());
      else if (reader.field === 3) readEvent(pending, reader.message());
      else if (reader.field === 4) final = reader.bool();
    }
    if (!pending) throw new MalformedMessageError('the correlation id is missing');
    if (final) {
      if (this.unfinished.delete(key)) this.unfinishedBytes -= pending.received;
      this.write(pending);
    } else this.keep(key, pending, message.length);
  }

  onEnd(): void {
    this.ended = true;
    if (this.waiting.size === 0) this.call.end();
  }

  private keep(key: string, pending: Pending, received: number): void {
    this.unfinished.set(key, pending);
    pending.received += received;
    this.unfinishedBytes += received;
    if (this.unfinishedBytes > MAX_UNFINISHED) {
      throw new GrpcError(Status.RESOURCE_EXHAUSTED, `More than ${MAX_UNFINISHED} bytes of unfinished appends`);
    }
  }

  private write(pending: Pending): void {
    const { command, events } = pending;
    if (pending.deadline <= Date.now()) return this.fail(pending, timeout);
    if (pending.error) return this.fail(pending, pending.error);
    if (!command) return this.fail(pending, badRequest('The first message must carry the options of the append'));
    this.waiting.add(pending);
    this.timer ??= setInterval(() => this.expire(), DEADLINE_CHECK).unref();
    this.writer.append(command.stream, command.expected, events).then(
      (outcome) => this.answer(pending, command, outcome),
      (error: unknown) => this.call.end(asGrpcError(error)),
    );
  }

  private answer(pending: Pending, { stream, expected }: StreamCommand, outcome: WriteOutcome): void {
    if (outcome.kind === 'wrong-expected-version') {
      this.fail(pending, wrongExpectedVersion(outcome.current, expected));
    } else if (outcome.kind === 'stream-deleted') this.fail(pending, streamDeleted(stream));
    else {
      this.reply(pending, (resp) =>
        resp.message(3, (success) => writeSuccess(success, outcome.revision, outcome.position)),
      );
    }
  }

  private fail(pending: Pending, { code, message, type, detail }: Failure): void {
    this.reply(pending, (resp) =>
      resp.message(2, (status) =>
        status
          .uint(1, code)
          .string(2, message)
          .message(3, (any) => any.string(1, `type.googleapis.com/event_store.client.${type}`).message(2, detail)),
      ),
    );
  }

  private reply(pending: Pending, writeResult: (resp: MessageWriter) => void): void {
    this.waiting.delete(pending);
    if (pending.answered) return;
    pending.answered = true;
    const roomy = this.call.send(
      frame((resp) => {
        resp.bytes(1, pending.correlation);
        writeResult(resp);
        // The client reads the stream name of an error from here.
        resp.message(4, (identifier) => identifier.string(3, pending.command?.stream ?? ''));
      }),
    );
    if (!roomy) this.waitForReader();
    if (this.ended && this.waiting.size === 0) this.call.end();
  }

  /** The outcome of an expired append is unknown: it may still be stored. */
  private expire(): void {
    const now = Date.now();
    for (const pending of this.waiting) if (pending.deadline <= now) this.fail(pending, timeout);
    if (this.waiting.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private waitForReader(): void {
    if (this.paused) return;
    this.paused = true;
    this.call.pause();
    void this.call.drained().then(() => {
      this.paused = false;
      this.call.resume();
    });
  }
}

const newPending = (correlation: Buffer): Pending => ({
  correlation: Buffer.from(correlation),
  command: undefined,
  deadline: Infinity,
  events: [],
  appendSize: 0,
  received: 0,
  error: undefined,
  answered: false,
});

function readOptions(pending: Pending, reader: MessageReader): void {
  try {
    pending.command = decodeStreamCommand(reader, (field) => {
      // An instant until 21.10, a duration since then.
      if (field === 6) pending.deadline = decodeSeconds(reader.message());
      else if (field === 7) pending.deadline = Date.now() + decodeSeconds(reader.message());
    });
  } catch (error) {
    pending.error = failureOf(error);
  }
}

/** `google.protobuf.Timestamp` and `Duration`, in milliseconds. */
function decodeSeconds(reader: MessageReader): number {
  let milliseconds = 0;
  while (reader.next()) {
    if (reader.field === 1) milliseconds += reader.int() * 1000;
    else if (reader.field === 2) milliseconds += reader.int() / 1e6;
  }
  return milliseconds;
}

/** After its first error the rest of an append is dropped: its one answer goes out when its last part is here. */
function readEvent(pending: Pending, reader: MessageReader): void {
  if (pending.error) return;
  try {
    const event = decodeProposed(reader);
    pending.events.push(event);
    pending.appendSize += event.size;
    if (pending.appendSize > MAX_APPEND_SIZE) pending.error = tooLarge;
  } catch (error) {
    pending.error = failureOf(error);
  }
  if (pending.error) pending.events = [];
}

const wrongExpectedVersion = (current: number, expected: number): Failure => ({
  code: Status.FAILED_PRECONDITION,
  message: 'Append failed due to WrongExpectedVersion.',
  type: 'WrongExpectedVersion',
  detail: (writer) => {
    if (current < 0) writer.empty(2);
    else writer.uint(1, current);
    if (expected >= 0) writer.uint(3, expected);
    else writer.empty(expected === ANY ? 4 : expected === STREAM_EXISTS ? 5 : 6);
  },
});

const streamDeleted = (stream: string): Failure => ({
  code: Status.FAILED_PRECONDITION,
  message: `Event stream '${stream}' is deleted.`,
  type: 'StreamDeleted',
  detail: (writer) => writer.message(1, (identifier) => identifier.string(3, stream)),
});

const timeout: Failure = {
  code: Status.DEADLINE_EXCEEDED,
  message: 'The append was not confirmed in time; it may or may not be stored.',
  type: 'Timeout',
  detail: () => undefined,
};

const tooLarge: Failure = {
  code: Status.INVALID_ARGUMENT,
  message: `Maximum Append Size of ${MAX_APPEND_SIZE} Exceeded.`,
  type: 'MaximumAppendSizeExceeded',
  detail: (writer) => writer.uint(1, MAX_APPEND_SIZE),
};

const badRequest = (message: string): Failure => ({
  code: Status.INVALID_ARGUMENT,
  message,
  type: 'BadRequest',
  detail: (writer) => writer.string(1, message),
});

/** Turns the refusal of one append into its answer; anything else ends the whole call. */
function failureOf(error: unknown): Failure {
  if (!(error instanceof GrpcError)) throw error;
  if (error.code !== Status.PERMISSION_DENIED) return badRequest(error.message);
  return { code: error.code, message: error.message, type: 'AccessDenied', detail: () => undefined };
}
