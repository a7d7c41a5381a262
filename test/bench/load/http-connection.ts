import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

const HEAD_END = Buffer.from('\r\n\r\n');

/**
 * One kept-alive HTTP/1.1 connection, one request at a time: the least that a load generator can spend, so that on a small machine
 * what is measured is the server. Answers must have a content-length.
 */
export class HttpConnection {
  private received = Buffer.alloc(0);
  private awaiting: { resolve: (answer: HttpAnswer) => void; reject: (error: Error) => void } | undefined;

  private constructor(
    private readonly socket: Socket,
    private readonly host: string,
  ) {
    socket.setNoDelay(true);
    socket.on('data', (chunk) => {
      this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
      this.take();
    });
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => this.fail(new Error('the connection was closed')));
  }

  static async open(url: string): Promise<HttpConnection> {
    const { hostname, port, host } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new HttpConnection(socket, host);
  }

  request(method: 'GET' | 'POST', path: string, token: string, body = ''): Promise<HttpAnswer> {
    const answer = new Promise<HttpAnswer>((resolve, reject) => (this.awaiting = { resolve, reject }));
    this.socket.write(
      `${method} ${path} HTTP/1.1\r\nhost: ${this.host}\r\nauthorization: Bearer ${token}\r\n` +
        (method === 'GET'
          ? '\r\n'
          : `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
    );
    return answer;
  }

  close(): void {
    this.awaiting = undefined;
    this.socket.destroy();
  }

  private take(): void {
    const end = this.received.indexOf(HEAD_END);
    if (end < 0) return;
    const head = this.received.toString('latin1', 0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    if (length === undefined) return this.fail(new Error(`an answer without content-length: ${head}`));
    const start = end + HEAD_END.length;
    const after = start + Number(length);
    if (this.received.length < after) return;
    const body = this.received.toString('utf8', start, after);
    this.received = this.received.subarray(after);
    const { awaiting } = this;
    this.awaiting = undefined;
    awaiting?.resolve({ status: Number(head.slice(9, 12)), body });
  }

  private fail(error: Error): void {
    this.awaiting?.reject(error);
    this.awaiting = undefined;
  }
}
