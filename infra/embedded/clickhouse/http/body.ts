import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ClickHouseException } from '../errors';
import { BlockReader } from '../native/blocks';

const MIB = 1024 * 1024;
/** As much of a body is read before it is looked at. */
const HEAD = MIB;
/** The longest statement that is taken, without the data of an INSERT. */
const MAX_STATEMENT = 64 * MIB;

const DECODERS = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress };
/** Content encodings that the engine itself takes off the data of an INSERT, with its names for them. */
const ENGINE_CODECS: Record<string, string> = {
  ...{ gzip: 'gzip', 'x-gzip': 'gzip', deflate: 'deflate', br: 'br', zstd: 'zstd' },
  ...{ lz4: 'lz4', xz: 'xz', bz2: 'bz2' },
};

/** The body of a request, of which any beginning can be read before the rest. */
export class Body {
  private head: Buffer = Buffer.alloc(0);
  private ended = false;
  private iterator: AsyncIterator<Buffer> | undefined;

  /** @param blocks whether the content is in ClickHouse's own compressed blocks */
  constructor(
    private readonly request: IncomingMessage,
    private readonly blocks: boolean,
  ) {}

  get encoding(): string {
    return (this.request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  }

  /**
   * Reads the decompressed body up to a length.
   * @returns what was read, and whether that is all
   * @throws ClickHouseException for an encoding that only the data of an INSERT can have, and for a body that is none
   */
  async begin(length = HEAD): Promise<{ head: Buffer; complete: boolean }> {
    const body = (this.iterator ??= this.decode()[Symbol.asyncIterator]() as AsyncIterator<Buffer>);
    const pieces = [this.head];
    let size = this.head.length;
    try {
      while (!this.ended && size < length) {
        const next = await body.next();
        if (next.done) this.ended = true;
        else size += pieces.push(next.value) && next.value.length;
      }
    } catch (error) {
      throw readError(error);
    }
    this.head = Buffer.concat(pieces);
    return { head: this.head, complete: this.ended };
  }

  /** The whole decompressed body as a statement. @throws ClickHouseException QUERY_IS_TOO_LARGE */
  async text(): Promise<string> {
    const { head, complete } = await this.begin(MAX_STATEMENT);
    if (complete) return head.toString();
    throw ClickHouseException.of('QUERY_IS_TOO_LARGE', `The query is longer than ${MAX_STATEMENT} bytes`);
  }

  /**
   * Writes data to a file: what is given, then what of the body was not taken off the front.
   * @param skip bytes of the body that belong to the statement
   * @returns the file, and how it is compressed: data that nobody has looked into stays as it came
   */
  async spool(folder: string, before: Buffer, skip: number): Promise<{ path: string; compression: string }> {
    const path = join(folder, randomUUID());
    try {
      const codec = ENGINE_CODECS[this.encoding];
      if (before.length === 0 && this.iterator === undefined && codec && !this.blocks) {
        await pipeline(this.request, createWriteStream(path));
        return { path, compression: codec };
      }
      const { head, complete } = await this.begin();
      const first = Buffer.concat([before, head.subarray(skip)]);
      if (complete) await writeFile(path, first);
      else await pipeline(this.from(first), createWriteStream(path));
      return { path, compression: 'none' };
    } catch (error) {
      await rm(path, { force: true });
      throw readError(error);
    }
  }

  private async *from(first: Buffer): AsyncGenerator<Buffer> {
    yield first;
    for (let next = await this.iterator!.next(); !next.done; next = await this.iterator!.next()) yield next.value;
  }

  private decode(): Readable {
    const stages = [...this.encodings(), ...(this.blocks ? [new BlockReader()] : [])];
    if (stages.length === 0) return this.request;
    const output = new PassThrough();
    pipeline([Readable.from(piecesOf(this.request)), ...stages, output]).catch((error: Error) => output.destroy(error));
    return output;
  }

  private encodings(): NodeJS.ReadWriteStream[] {
    if (this.encoding === 'identity' || this.encoding === '') return [];
    const decoder = DECODERS[this.encoding as keyof typeof DECODERS];
    if (decoder) return [decoder()];
    const message = `Unknown compression method '${this.encoding}' of a statement; use gzip, deflate or br`;
    throw ClickHouseException.of('UNKNOWN_COMPRESSION_METHOD', message);
  }
}

/** Unlike a request in a pipeline, it survives what is wrong in its body: its connection is the one on which that is answered. */
async function* piecesOf(request: IncomingMessage): AsyncGenerator<Buffer> {
  for await (const piece of request.iterator({ destroyOnReturn: false })) yield piece as Buffer;
}

/** The client is at fault for a body that cannot be decompressed; for one that ends too early nobody is left to tell. */
function readError(error: unknown): unknown {
  if (error instanceof ClickHouseException) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code?.startsWith('Z_') || code?.startsWith('ERR_BROTLI') || code?.startsWith('ERR__ERROR_FORMAT')) {
    return ClickHouseException.of('ZLIB_INFLATE_FAILED', `Cannot decompress the body: ${message}`);
  }
  if (code === 'ENOSPC')
    return new ClickHouseException(243, 'NOT_ENOUGH_SPACE', 'No space left for the data of the query');
  return error;
}
