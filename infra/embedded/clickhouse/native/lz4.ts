/** LZ4's block format: https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md */

/** Thrown for bytes that are no LZ4 block of the length they claim. */
export class Lz4Error extends Error {
  override name = 'Lz4Error';
}

/**
 * One block that holds the bytes as they are, as a single run of literals. Valid for every reader; what it would save on the way
 * is not worth the time between two processes of one machine.
 */
export function storeLz4(bytes: Buffer): Buffer {
  if (bytes.length < 15) return Buffer.concat([Buffer.from([bytes.length << 4]), bytes]);
  const rest = bytes.length - 15;
  const lengths = Buffer.alloc(Math.floor(rest / 255) + 1, 255);
  lengths[lengths.length - 1] = rest % 255;
  return Buffer.concat([Buffer.from([0xf0]), lengths, bytes]);
}

/** @throws Lz4Error */
export function expandLz4(block: Buffer, length: number): Buffer {
  const out = Buffer.allocUnsafe(length);
  let from = 0;
  let to = 0;
  const byte = (): number => {
    if (from >= block.length) throw new Lz4Error('the block ends too early');
    return block[from++]!;
  };
  const counted = (start: number): number => {
    let count = start;
    if (start < 15) return count;
    for (let more = 255; more === 255;) count += more = byte();
    return count;
  };
  for (;;) {
    const token = byte();
    const literals = counted(token >> 4);
    if (from + literals > block.length || to + literals > length) throw new Lz4Error('a run of literals is too long');
    block.copy(out, to, from, from + literals);
    from += literals;
    to += literals;
    if (from === block.length) break;
    const distance = byte() | (byte() << 8);
    const matched = counted(token & 15) + 4;
    if (distance === 0 || distance > to || to + matched > length)
      throw new Lz4Error('a match points outside of the block');
    // A match may reach into what it is just copying, so byte by byte.
    for (const end = to + matched; to < end; to++) out[to] = out[to - distance]!;
  }
  if (to !== length) throw new Lz4Error('the block is shorter than it says');
  return out;
}
