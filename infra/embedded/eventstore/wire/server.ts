/**
 * gRPC over cleartext HTTP/2 on node:http2, for services with hand-written messages.
 * Rules: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
import { constants, createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { type AddressInfo, type Socket } from 'node:net';
import { FrameParser } from './frame';
import { GrpcError, Status } from './grpc-error';
import { MalformedMessageError } from './protobuf';

/** A call as its handler sees it. */
export interface Call {
  readonly closed: boolean;
  /** The name that the client gave its connection. */
  readonly connectionName: string;
  readonly peer: string;
  /** Sends frames, collected per turn. Returns false when the peer is slow: wait for `drained` before sending much more. */
  send(frames: Buffer): boolean;
  drained(): Promise<void>;
  /** Ends the call; without an error the status is OK. */
  end(error?: unknown): void;
  /** Stops taking messages from the peer until `resume`. */
  pause(): void;
  resume(): void;
  onClose(listener: () => void): void;
}

/** A call with one request and any number of responses; what it throws or rejects with ends the call. */
export type RequestHandler = (request: Buffer, call: Call) => void | Promise<void>;

/** A call with a stream of requests. */
export interface StreamHandler {
  onMessage(message: Buffer): void;
  /** The peer has sent all it wants to send. */
  onEnd(): void;
}

export type Method = { request: RequestHandler } | { stream: (call: Call) => StreamHandler };

/** Paths, for example `/event_store.client.streams.Streams/Read`. */
export type Services = Record<string, Method>;

/** As the real server's keep-alive: 10 s between pings, 10 s for the answer (`KeepAlivePingDelay`). */
const KEEP_ALIVE = 10_000;
/** How long a peer may keep its side of an answered call open, in milliseconds. */
const DISMISS_AFTER = 1000;
const WINDOW = 4 * 1024 * 1024;

export class GrpcServer {
  private readonly http: Http2Server;
  private readonly sessions = new Set<ServerHttp2Session>();
  private readonly calls = new Set<ServerCall>();

  private services: Services = {};
  private readonly keepAlive: NodeJS.Timeout;
  /** Sessions whose ping is not answered yet. */
  private readonly pinged = new WeakSet<ServerHttp2Session>();

  /** @param keepAliveInterval milliseconds between pings; a peer that has not answered by the next one is cut off */
  constructor(keepAliveInterval = KEEP_ALIVE) {
    this.keepAlive = setInterval(() => this.pingAll(), keepAliveInterval).unref();
    this.http = createServer({
      // The default of 10 MB is less than one full window of a busy client and ends calls with ENHANCE_YOUR_CALM.
      maxSessionMemory: 256,
      settings: { initialWindowSize: WINDOW, maxConcurrentStreams: 10_000 },
    });
    this.http.on('connection', (socket: Socket) => socket.setNoDelay(true));
    this.http.on('session', (session) => {
      this.sessions.add(session);
      session.setLocalWindowSize(2 * WINDOW);
      session.on('close', () => this.sessions.delete(session));
      // A peer that breaks the protocol or its connection ends its own session; 'close' follows.
      session.on('error', () => session.destroy());
    });
    this.http.on('sessionError', () => undefined);
    this.http.on('unknownProtocol', (socket: Socket) => socket.destroy());
    this.http.on('stream', (stream, headers) => this.accept(stream, headers));
    this.http.setTimeout(0);
  }

  /** Listens on 127.0.0.1 and resolves with the port. Rejects with the error of the socket. */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(port, '127.0.0.1', () => {
        this.http.off('error', reject);
        resolve((this.http.address() as AddressInfo).port);
      });
    });
  }

  /** What is served from now on. */
  serve(services: Services): void {
    this.services = services;
  }

  /** Takes no more connections or calls; calls in progress go on. */
  stopAccepting(): void {
    this.http.close();
    for (const session of this.sessions) session.close();
  }

  /** Connections that are open. */
  get connections(): number {
    return this.sessions.size;
  }

  /** Ends every call and connection. */
  async close(): Promise<void> {
    clearInterval(this.keepAlive);
    this.stopAccepting();
    for (const call of this.calls) call.end(new GrpcError(Status.UNAVAILABLE, 'The server is shutting down'));
    // One turn lets the statuses leave; who does not take them within the grace is cut off.
    const gone = [...this.sessions].map((session) => new Promise((resolve) => session.once('close', resolve)));
    const grace = setTimeout(() => this.sessions.forEach((session) => session.destroy()), 250);
    await Promise.all(gone);
    clearTimeout(grace);
  }

  /**
   * Finds peers that are gone. After a violation of the protocol nghttp2 stops reading, and Node then hears neither of the
   * end nor of a reset of that connection: without pings it would stay open for ever.
   */
  private pingAll(): void {
    for (const session of this.sessions) {
      if (this.pinged.has(session)) {
        session.destroy();
        continue;
      }
      this.pinged.add(session);
      session.ping((error) => {
        if (!error) this.pinged.delete(session);
      });
    }
  }

  private accept(stream: ServerHttp2Stream, headers: Record<string, string | string[] | undefined>): void {
    // Reset by the peer: 'close' follows and does the cleaning.
    stream.on('error', () => undefined);
    if (headers[':method'] !== 'POST' || !String(headers['content-type']).startsWith('application/grpc')) {
      stream.respond({ ':status': 415 }, { endStream: true });
      return;
    }
    const path = headers[':path'] as string;
    const call = new ServerCall(stream, String(headers['connection-name'] ?? ''));
    this.calls.add(call);
    stream.once('close', () => this.calls.delete(call));
    const method = this.services[path];
    if (!method) {
      call.end(new GrpcError(Status.UNIMPLEMENTED, `The embedded EventStoreDB does not serve ${path}`));
      return;
    }
    call.serve(method);
  }
}

class ServerCall implements Call {
  private outgoing: Buffer[] = [];
  private ended = false;
  private trailers: Record<string, string> | undefined;

  constructor(
    private readonly stream: ServerHttp2Stream,
    readonly connectionName: string,
  ) {}

  get closed(): boolean {
    return this.ended || this.stream.destroyed;
  }

  get peer(): string {
    const socket = this.stream.session?.socket;
    return socket ? `${socket.remoteAddress}:${socket.remotePort}` : '';
  }

  serve(method: Method): void {
    const parser = new FrameParser();
    const guarded = (act: () => void): void => {
      try {
        act();
      } catch (error) {
        this.end(error);
      }
    };
    // Headers go out at once: some clients wait for them before they send, and all of them digest them while we work.
    this.respond();
    const handler = 'stream' in method ? method.stream(this) : singleRequest(method.request, this);
    this.stream.on('data', (chunk: Buffer) => {
      if (!this.closed) guarded(() => parser.push(chunk, (message) => this.closed || handler.onMessage(message)));
    });
    this.stream.on('end', () => {
      if (this.closed) return;
      guarded(() => {
        if (parser.pending > 0) throw new GrpcError(Status.INTERNAL, 'The request ended inside a message');
        handler.onEnd();
      });
    });
  }

  send(frames: Buffer): boolean {
    if (this.closed) return true;
    if (this.outgoing.push(frames) === 1) process.nextTick(() => this.flush());
    return !this.stream.writableNeedDrain;
  }

  drained(): Promise<void> {
    if (this.closed || !this.stream.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        this.stream.off('drain', done);
        this.stream.off('close', done);
        resolve();
      };
      this.stream.on('drain', done);
      this.stream.on('close', done);
    });
  }

  end(error?: unknown): void {
    if (this.closed) return;
    this.flush();
    this.ended = true;
    const trailers = error === undefined ? { 'grpc-status': '0' } : statusTrailers(error);
    if (this.stream.headersSent) {
      this.trailers = trailers;
      this.stream.end();
    } else {
      this.stream.respond({ ...RESPONSE_HEADERS, ...trailers }, { endStream: true });
      this.dismiss();
    }
    this.stream.resume();
  }

  pause(): void {
    this.stream.pause();
  }

  resume(): void {
    this.stream.resume();
  }

  onClose(listener: () => void): void {
    this.stream.once('close', listener);
  }

  private respond(): void {
    if (this.stream.headersSent || this.stream.destroyed) return;
    this.stream.respond(RESPONSE_HEADERS, { waitForTrailers: true });
    this.stream.once('wantTrailers', () => {
      this.stream.sendTrailers(this.trailers ?? { 'grpc-status': '0' });
      this.dismiss();
    });
  }

  /** A peer that goes on sending after its answer would hold the stream open for ever. */
  private dismiss(): void {
    if (this.stream.readableEnded) return;
    const timer = setTimeout(() => this.stream.close(constants.NGHTTP2_NO_ERROR), DISMISS_AFTER).unref();
    this.stream.once('close', () => clearTimeout(timer));
  }

  private flush(): void {
    const frames = this.outgoing;
    if (frames.length === 0 || this.closed) return;
    this.outgoing = [];
    this.respond();
    this.stream.write(frames.length === 1 ? frames[0] : Buffer.concat(frames));
  }
}

const RESPONSE_HEADERS = { ':status': 200, 'content-type': 'application/grpc' };

/** Waits for exactly one message. */
function singleRequest(handle: RequestHandler, call: Call): StreamHandler {
  let received = false;
  return {
    onMessage(message) {
      if (received) throw new GrpcError(Status.INVALID_ARGUMENT, 'More than one request message');
      received = true;
      const result = handle(message, call);
      if (result) result.catch((error: unknown) => call.end(error));
    },
    onEnd() {
      if (!received) throw new GrpcError(Status.INVALID_ARGUMENT, 'The request message is missing');
    },
  };
}

function statusTrailers(error: unknown): Record<string, string> {
  const status =
    error instanceof GrpcError
      ? error
      : error instanceof MalformedMessageError
        ? new GrpcError(Status.INVALID_ARGUMENT, `Malformed message: ${error.message}`)
        : new GrpcError(Status.INTERNAL, error instanceof Error ? error.message : String(error));
  const trailers: Record<string, string> = {
    'grpc-status': String(status.code),
    'grpc-message': headerText(status.message),
  };
  for (const [name, value] of Object.entries(status.trailers)) trailers[name] = headerText(value);
  return trailers;
}

/** Header values are ASCII; other characters are percent-encoded, as gRPC does for its message. */
const headerText = (text: string): string =>
  text.replace(/[^ -~]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join(''),
  );
