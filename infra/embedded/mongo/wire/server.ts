import { createServer, type Server, type Socket } from 'node:net';
import { EngineStartError } from '../../engine';
import { CommandError } from '../errors';
import { type Dispatcher } from '../commands/dispatch';
import { document } from '../bson/values';
import { encodeReply, HEADER_BYTES, MAX_MESSAGE_BYTES, parseRequest, ProtocolError, type Request } from './message';

/** Bytes that may wait behind the request being run before the connection is not read any further. */
const MAX_WAITING_BYTES = 1024 * 1024;

/** Listens on 127.0.0.1 and nowhere else. @throws EngineStartError when the port is taken. */
export class WireServer {
  private readonly server: Server;
  private readonly connections = new Set<Connection>();
  private closing = false;

  constructor(dispatcher: Dispatcher) {
    this.server = createServer({ noDelay: true }, (socket) => {
      const connection = new Connection(socket, dispatcher);
      this.connections.add(connection);
      socket.once('close', () => this.connections.delete(connection));
      if (this.closing) socket.destroy();
    });
  }

  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) =>
        reject(
          new EngineStartError(
            error.code === 'EADDRINUSE'
              ? `Port ${port} on 127.0.0.1 is already in use; choose another port for the mongodb engine.`
              : `The mongodb engine cannot listen on 127.0.0.1:${port}: ${error.message}.`,
          ),
        ),
      );
      this.server.listen({ host: '127.0.0.1', port, backlog: 1024 }, () => {
        const address = this.server.address();
        resolve(typeof address === 'object' && address ? address.port : port);
      });
    });
  }

  /** Stops accepting, lets the requests that arrived finish, and closes all connections. */
  async close(): Promise<void> {
    this.closing = true;
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()));
    await Promise.all([...this.connections].map((connection) => connection.end()));
    await closed;
  }
}

/** One client connection. Requests are run one after the other in the order in which they arrived. */
class Connection {
  private chunks: Buffer[] = [];
  private buffered = 0;
  private running: Promise<void> | undefined;
  private ended = false;

  constructor(
    private readonly socket: Socket,
    private readonly dispatcher: Dispatcher,
  ) {
    socket.on('data', (chunk) => this.receive(chunk));
    // A reset connection is an everyday end; 'close' follows and cleans up.
    socket.on('error', () => socket.destroy());
  }

  async end(): Promise<void> {
    this.ended = true;
    await this.running;
    this.socket.destroy();
  }

  private receive(chunk: Buffer): void {
    this.chunks.push(chunk);
    this.buffered += chunk.length;
    if (this.running) {
      if (this.buffered > MAX_WAITING_BYTES) this.socket.pause();
      return;
    }
    this.running = this.drain().finally(() => {
      this.running = undefined;
    });
  }

  private async drain(): Promise<void> {
    for (let message = this.nextMessage(); message && !this.ended; message = this.nextMessage()) {
      await this.serve(message);
      if (this.socket.isPaused() && this.buffered <= MAX_WAITING_BYTES) this.socket.resume();
    }
    if (this.socket.isPaused()) this.socket.resume();
  }

  /** The next whole message, or undefined until more bytes arrive. A length that cannot be right ends the connection. */
  private nextMessage(): Buffer | undefined {
    if (this.buffered < HEADER_BYTES || this.socket.destroyed) return undefined;
    if (this.chunks[0]!.length < HEADER_BYTES) this.chunks = [Buffer.concat(this.chunks)];
    const length = this.chunks[0]!.readInt32LE(0);
    if (length < HEADER_BYTES || length > MAX_MESSAGE_BYTES) {
      this.socket.destroy();
      return undefined;
    }
    if (this.buffered < length) return undefined;
    const all = this.chunks.length === 1 ? this.chunks[0]! : Buffer.concat(this.chunks);
    this.chunks = all.length > length ? [all.subarray(length)] : [];
    this.buffered -= length;
    return all.subarray(0, length);
  }

  private async serve(message: Buffer): Promise<void> {
    let request: Request;
    try {
      request = parseRequest(message);
    } catch (error) {
      this.refuse(message, error);
      return;
    }
    const reply = await this.dispatcher.reply(request);
    if (!request.silent) await this.send(encodeReply(request, reply));
  }

  /** Malformed BSON is answered; a frame that is not of this protocol ends the connection. */
  private refuse(message: Buffer, error: unknown): void {
    if (error instanceof CommandError) {
      const reply = document({ ok: 0, errmsg: error.message, code: error.code, codeName: error.codeName });
      this.socket.write(encodeReply({ requestId: message.readInt32LE(4), legacy: false }, reply));
    } else {
      this.socket.destroy(error instanceof ProtocolError ? undefined : (error as Error));
    }
  }

  /** Waits while the client does not take its replies, so that they do not pile up. */
  private send(bytes: Buffer): Promise<void> | void {
    if (this.socket.destroyed || this.socket.write(bytes)) return;
    return new Promise((resolve) => {
      const done = (): void => {
        this.socket.off('drain', done);
        this.socket.off('close', done);
        resolve();
      };
      this.socket.on('drain', done);
      this.socket.on('close', done);
    });
  }
}
