import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Headers of an answer that are sent while its query still runs (`send_progress_in_http_headers`), which keeps the connection
 * of a long query from looking idle. Node sends a head as a whole, so this writes to the socket itself; the answer then ends
 * with the connection, and its status is 200 whatever comes after, as in ClickHouse.
 */
export class ProgressHeaders {
  private readonly socket: Socket;
  private readonly sent = new Set<string>();

  constructor(private readonly response: ServerResponse) {
    this.socket = response.socket!;
    response.shouldKeepAlive = false;
    this.socket.write(`HTTP/1.1 200 OK\r\nDate: ${new Date().toUTCString()}\r\nConnection: close\r\n`);
  }

  send(name: string, value: string): void {
    for (const header of this.response.getHeaderNames()) this.sendHeader(header);
    this.socket.write(`${name}: ${value}\r\n`);
  }

  /** Sends the headers that are left and ends the head. */
  begin(): Socket {
    for (const header of this.response.getHeaderNames()) this.sendHeader(header);
    this.socket.write('\r\n');
    return this.socket;
  }

  end(body: string): void {
    this.begin().end(body);
  }

  private sendHeader(name: string): void {
    if (this.sent.has(name)) return;
    this.sent.add(name);
    this.socket.write(`${name}: ${String(this.response.getHeader(name))}\r\n`);
  }
}
