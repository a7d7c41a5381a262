import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliCompress, createDeflate, createGzip, constants } from 'node:zlib';
import type { Outcome, Progress } from '../engine/query';
import { type ClickHouseException, httpStatus } from '../errors';
import { BlockWriter } from '../native/blocks';
import { ProgressHeaders } from './progress-headers';

export interface AnswerOptions {
  queryId: string;
  version: string;
  timezone: string;
  waitEnd: boolean;
  /** Bytes that are kept back before the head is sent. */
  bufferSize: number;
  /** Content encoding of the answer; undefined for none. */
  encoding: string | undefined;
  compressionLevel: number;
  /** Whether its content comes in ClickHouse's own compressed blocks. */
  blocks: boolean;
  /** Where an answer that is kept back goes when it outgrows its buffer. */
  spoolFolder: string;
}

/** Milliseconds that a client may take to read the next piece of its answer; ClickHouse's `http_send_timeout`. */
const SEND_TIMEOUT = 30_000;
const EXCEPTION_MARKER = '__exception__';

/**
 * The answer to one query. Its head is kept back with the first megabyte, so that a query that fails in it has the status of
 * its exception and one that ends in it its whole summary.
 */
export class Answer {
  private kept: Buffer[] = [];
  private keptBytes = 0;
  private file: { path: string; stream: WriteStream } | undefined;
  private output: Writable | undefined;
  private readonly exceptionTag = randomBytes(8).toString('hex');
  private readonly startedAt = performance.now();
  private progress: ProgressHeaders | undefined;

  constructor(
    private readonly response: ServerResponse,
    private readonly options: AnswerOptions,
  ) {
    response.setHeader('X-ClickHouse-Server-Display-Name', 'attest-embedded');
    response.setHeader('X-ClickHouse-Query-Id', options.queryId);
    response.setHeader('X-ClickHouse-Timezone', options.timezone);
    response.setHeader('X-ClickHouse-Exception-Tag', this.exceptionTag);
  }

  /** Says in which format the rows come. */
  describe(format: string, contentType: string): void {
    this.response.setHeader('X-ClickHouse-Format', format);
    this.response.setHeader('Content-Type', contentType);
  }

  /** Sends a header with how far the query has come, unless rows were sent already. */
  tell(progress: Progress): void {
    if (this.output || this.response.headersSent) return;
    this.progress ??= new ProgressHeaders(this.response);
    this.progress.send('X-ClickHouse-Progress', this.summary(progress));
  }

  /** Takes a piece of the result; resolves when the next one may come. */
  async write(piece: Buffer): Promise<void> {
    if (this.output) return send(this.output, piece);
    this.kept.push(piece);
    this.keptBytes += piece.length;
    if (this.keptBytes < this.options.bufferSize) return;
    if (this.options.waitEnd) await this.spool();
    else await this.sendHead();
  }

  /** The query is done: sends what was kept back, and ends. */
  async end(outcome: Outcome): Promise<void> {
    if (this.file) {
      await this.spool();
      this.file.stream.end();
      await once(this.file.stream, 'close');
    }
    if (!this.output) await this.sendHead(outcome);
    if (this.file)
      for await (const piece of createReadStream(this.file.path)) await send(this.output!, piece as Buffer);
    this.output!.end();
    await this.discard();
  }

  /** The query failed: as the answer itself, or, when rows were sent already, as a mark at their end that clients look for. */
  async fail(exception: ClickHouseException): Promise<void> {
    const text = exception.format(this.options.version);
    this.kept = [];
    await this.discard();
    if (this.output) {
      const length = Buffer.byteLength(text);
      const tag = this.exceptionTag;
      this.output.end(`\r\n${EXCEPTION_MARKER}\r\n${tag}\r\n${text}${length} ${tag}\r\n${EXCEPTION_MARKER}\r\n`);
      return;
    }
    this.response.setHeader('X-ClickHouse-Exception-Code', String(exception.code));
    this.response.setHeader('Content-Type', 'text/plain; charset=UTF-8');
    if (this.progress) return this.progress.end(text);
    this.response.removeHeader('X-ClickHouse-Format');
    this.response.statusCode = httpStatus(exception);
    this.response.end(text);
  }

  /** Removes what is left of an answer that nobody waits for. */
  async discard(): Promise<void> {
    if (!this.file) return;
    this.file.stream.destroy();
    await rm(this.file.path, { force: true });
  }

  private async sendHead(outcome?: Outcome): Promise<void> {
    const { encoding } = this.options;
    if (encoding && (this.keptBytes > 0 || this.file)) this.response.setHeader('Content-Encoding', encoding);
    this.response.setHeader('X-ClickHouse-Summary', this.summary(outcome));
    const target = this.progress ? this.progress.begin() : this.response;
    const compressor = this.response.hasHeader('Content-Encoding') ? this.compressor() : undefined;
    const stages: (Writable & NodeJS.ReadWriteStream)[] = [
      ...(this.options.blocks ? [new BlockWriter()] : []),
      ...(compressor ? [compressor] : []),
    ];
    if (stages.length > 0)
      pipeline([...stages, target]).catch(() => stages[0]?.destroy()); // the client is gone
    else if (outcome && !this.file && !this.progress) this.response.setHeader('Content-Length', this.keptBytes);
    this.output = stages[0] ?? target;
    for (const piece of this.kept.splice(0)) await send(this.output, piece);
  }

  private compressor(): (Writable & NodeJS.ReadWriteStream) | undefined {
    const { encoding, compressionLevel: level } = this.options;
    if (encoding === 'gzip') return createGzip({ level });
    if (encoding === 'deflate') return createDeflate({ level });
    return createBrotliCompress({ params: { [constants.BROTLI_PARAM_QUALITY]: level } });
  }

  /** Moves what is kept back to a file. */
  private async spool(): Promise<void> {
    if (!this.file) {
      const path = join(this.options.spoolFolder, randomUUID());
      this.file = { path, stream: createWriteStream(path) };
      await once(this.file.stream, 'open');
    }
    for (const piece of this.kept.splice(0)) await send(this.file.stream, piece);
    this.keptBytes = 0;
  }

  /** Numbers are strings, as in ClickHouse. */
  private summary(outcome?: Outcome | Progress): string {
    const { rowsRead = 0, bytesRead = 0, rowsWritten = 0, bytesWritten = 0 } = outcome ?? {};
    const totalRows = outcome && 'totalRows' in outcome ? outcome.totalRows : 0;
    const fields = {
      read_rows: rowsRead,
      read_bytes: bytesRead,
      written_rows: rowsWritten,
      written_bytes: bytesWritten,
      total_rows_to_read: totalRows,
      result_rows: rowsWritten,
      result_bytes: bytesWritten,
      elapsed_ns: Math.round((performance.now() - this.startedAt) * 1e6),
    };
    return JSON.stringify(Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])));
  }
}

/** Writes and waits until more can be written. A client that does not read is cut off, since its query holds a place. */
async function send(output: Writable, piece: Buffer): Promise<void> {
  if (output.destroyed || output.write(piece)) return;
  const waiting = new AbortController();
  const timer = setTimeout(() => output.destroy(), SEND_TIMEOUT);
  try {
    const { signal } = waiting;
    await Promise.race([once(output, 'drain', { signal }), once(output, 'close', { signal })]);
  } finally {
    clearTimeout(timer);
    waiting.abort();
  }
}
