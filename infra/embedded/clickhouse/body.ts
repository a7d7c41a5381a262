import { createWriteStream } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ClickHouseException } from './exception';

/** The longest statement that is taken, in bytes; the data of an insert may be of any length. */
const LONGEST_STATEMENT = 1_048_576;

/** The request's body as sent, decompressed. @throws ClickHouseException for an encoding that is none of gzip, deflate, br */
export function decoded(request: IncomingMessage): Readable {
  const encoding = request.headers['content-encoding'] ?? 'identity';
  const decoder = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate, br: createBrotliDecompress }[
    encoding
  ];
  if (decoder) {
    const decoding = decoder();
    request.on('error', (error) => decoding.destroy(error));
    return request.pipe(decoding);
  }
  if (encoding === 'identity') return request;
  throw new ClickHouseException(
    48,
    'NOT_IMPLEMENTED',
    `Unknown content encoding '${encoding}'; use gzip, deflate or br.`,
  );
}

/**
 * As much of a body as a statement may have.
 * @returns the beginning, and the rest as it arrives when the body is longer
 */
export async function readHead(body: Readable): Promise<{ head: Buffer; rest: Readable | undefined }> {
  const chunks: Buffer[] = [];
  let length = 0;
  for (;;) {
    const chunk = await nextChunk(body);
    if (!chunk) return { head: Buffer.concat(chunks), rest: undefined };
    chunks.push(chunk);
    length += chunk.length;
    if (length >= LONGEST_STATEMENT) return { head: Buffer.concat(chunks), rest: body };
  }
}

/** Reads one chunk without ending the stream for whoever reads on. */
function nextChunk(body: Readable): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void): void => {
      body.off('readable', look).off('end', ended).off('error', failed).off('close', closed);
      finish();
    };
    const ended = (): void => settle(() => resolve(undefined));
    const failed = (error: Error): void => settle(() => reject(error));
    const closed = (): void =>
      settle(() => (body.readableEnded ? resolve(undefined) : reject(new Error('the request was cut off'))));
    const look = (): void => {
      const chunk = body.read() as Buffer | null;
      if (chunk) settle(() => resolve(chunk));
    };
    if (body.errored) return reject(body.errored);
    if (body.readableEnded) return resolve(undefined);
    if (body.destroyed) return reject(new Error('the request was cut off'));
    body.on('readable', look).on('end', ended).on('error', failed).on('close', closed);
    look();
  });
}

/** Writes the data of an insert to a file, so that it is never whole in memory. Gives its length in bytes. */
export async function spool(head: Buffer, rest: Readable | undefined, file: string): Promise<number> {
  let length = head.length;
  const output = createWriteStream(file);
  if (!rest) {
    await new Promise<void>((resolve, reject) => {
      output.once('error', reject);
      output.end(head, resolve);
    });
    return length;
  }
  output.write(head);
  const count = new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      length += chunk.length;
      done(null, chunk);
    },
  });
  await pipeline(rest, count, output);
  return length;
}
