/** Answers of EventStoreDB, written with the official client's own messages; only the correlation id of an append is put in. */
import { createServer, type ServerHttp2Stream } from 'node:http2';
import type { Server, Socket } from 'node:net';
import { SupportedMethod, SupportedMethods } from '@eventstore/db-client/generated/serverfeatures_pb';
import { AllStreamPosition, StreamIdentifier, UUID } from '@eventstore/db-client/generated/shared_pb';
import { BatchAppendResp, ReadResp } from '@eventstore/db-client/generated/streams_pb';
import { DATA, METADATA } from '../sample-event';

const ID = '6f2d0d0e-6f2b-4a53-9c55-0b5a4f7a3b11';
/** Both directions of BatchAppend begin with the correlation id: frame header, then field 1 in field 2, each a tag and a length. */
const ID_AT = 9;
const ID_END = ID_AT + ID.length;
const FRAME_HEADER = 5;
/** Events of one write: about 130 kB. */
const PAGE = 250;
const PAGES = 400;

export function cannedEventStore(): Server {
  const answers: Readonly<Record<string, (stream: ServerHttp2Stream) => void>> = {
    '/event_store.client.server_features.ServerFeatures/GetSupportedMethods': (stream) => stream.end(features()),
    '/event_store.client.streams.Streams/Read': answerRead,
    '/event_store.client.streams.Streams/BatchAppend': answerAppends,
  };
  const server = createServer({ maxSessionMemory: 256, settings: { initialWindowSize: 4 * 1024 * 1024 } });
  server.on('connection', (socket: Socket) => socket.setNoDelay(true));
  server.on('session', (session) => session.setLocalWindowSize(8 * 1024 * 1024));
  server.on('stream', (stream, headers) => {
    // A client that leaves resets its calls.
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    answers[headers[':path']!]!(stream);
    stream.resume();
  });
  return server;
}

/** 100,000 events, whatever was asked for. */
function answerRead(stream: ServerHttp2Stream): void {
  const page = Buffer.concat(
    Array.from({ length: PAGE }, (_, revision) => framed(anEvent(revision).serializeBinary())),
  );
  let left = PAGES;
  const write = (): void => {
    while (left-- > 0)
      if (!stream.write(page)) {
        stream.once('drain', write);
        return;
      }
    stream.end();
  };
  write();
}

/** One success for each request. */
function answerAppends(stream: ServerHttp2Stream): void {
  const template = framed(aSuccess().serializeBinary());
  if (template.toString('latin1', ID_AT, ID_END) !== ID)
    throw new Error('The answer does not begin with its correlation id.');
  let rest: Buffer = Buffer.alloc(0);
  let answers: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => {
    rest = rest.length > 0 ? Buffer.concat([rest, chunk]) : chunk;
    while (rest.length >= FRAME_HEADER && rest.length >= FRAME_HEADER + rest.readUInt32BE(1)) {
      const answer = Buffer.from(template);
      rest.copy(answer, ID_AT, ID_AT, ID_END);
      rest = rest.subarray(FRAME_HEADER + rest.readUInt32BE(1));
      if (answers.push(answer) > 1) continue;
      setImmediate(() => {
        stream.write(Buffer.concat(answers));
        answers = [];
      });
    }
  });
  stream.on('end', () => stream.end());
}

function features(): Buffer {
  const append = new SupportedMethod();
  append.setServiceName('event_store.client.streams.streams');
  append.setMethodName('batchappend');
  const methods = new SupportedMethods();
  methods.setEventStoreServerVersion('23.10.0');
  methods.addMethods(append);
  return framed(methods.serializeBinary());
}

function aSuccess(): BatchAppendResp {
  const success = new BatchAppendResp.Success();
  success.setCurrentRevision('17');
  const position = new AllStreamPosition();
  position.setCommitPosition('50000000');
  position.setPreparePosition('50000000');
  success.setPosition(position);
  const response = new BatchAppendResp();
  response.setCorrelationId(uuid());
  response.setSuccess(success);
  response.setStreamIdentifier(stream());
  return response;
}

function anEvent(revision: number): ReadResp {
  const event = new ReadResp.ReadEvent.RecordedEvent();
  event.setId(uuid());
  event.setStreamIdentifier(stream());
  event.setStreamRevision(String(revision));
  event.setPreparePosition(String(50_000_000 + revision));
  event.setCommitPosition(String(50_000_000 + revision));
  event.getMetadataMap().set('type', 'AttemptRecorded').set('content-type', 'application/json');
  event.getMetadataMap().set('created', '17641584000000000');
  event.setCustomMetadata(Buffer.from(JSON.stringify(METADATA)));
  event.setData(Buffer.from(JSON.stringify(DATA)));
  const read = new ReadResp.ReadEvent();
  read.setEvent(event);
  read.setCommitPosition(String(50_000_000 + revision));
  const response = new ReadResp();
  response.setEvent(read);
  return response;
}

function uuid(): UUID {
  const id = new UUID();
  id.setString(ID);
  return id;
}

function stream(): StreamIdentifier {
  const identifier = new StreamIdentifier();
  identifier.setStreamName(Buffer.from('bench-17'));
  return identifier;
}

function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(FRAME_HEADER + message.length);
  frame.writeUInt32BE(message.length, 1);
  frame.set(message, FRAME_HEADER);
  return frame;
}
