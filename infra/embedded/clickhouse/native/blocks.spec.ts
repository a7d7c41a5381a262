import { buffer } from 'node:stream/consumers';
import { BlockReader, BlockWriter } from './blocks';
import { expandLz4, Lz4Error } from './lz4';

/** Blocks as ClickHouse 26.7 wrote them into column files of its Log engine. */
const WRITTEN = [
  ['', '3dEONw2ItcWwRn5jnP2724ILAAAAAQAAABAA'],
  ['Attest', 'Otzd6yirxTfTMFGvBsulUIIRAAAABwAAAHAGQXR0ZXN0'],
  ['1234567890', '4GZOQQzNbzFMluEyP3Ln/IIVAAAACwAAALAKMTIzNDU2Nzg5MA=='],
  ['learner '.repeat(5), 'Gqa7dixalZM8peLQokuxlYIcAAAAKQAAAJ8obGVhcm5lciAIAAhQcm5lciA='],
  [
    Array.from({ length: 60 }, (_, n) => n).join(' '),
    '46aHaXDBVyirmqUkZqucY4K2AAAAqwAAAPCcqQEwIDEgMiAzIDQgNSA2IDcgOCA5IDEwIDExIDEyIDEzIDE0IDE1IDE2IDE3IDE4IDE5IDIwIDIxIDIyIDIzIDI0IDI1IDI2IDI3IDI4IDI5IDMwIDMxIDMyIDMzIDM0IDM1IDM2IDM3IDM4IDM5IDQwIDQxIDQyIDQzIDQ0IDQ1IDQ2IDQ3IDQ4IDQ5IDUwIDUxIDUyIDUzIDU0IDU1IDU2IDU3IDU4IDU5',
  ],
] as const;

async function read(...pieces: Buffer[]): Promise<Buffer> {
  const reader = new BlockReader();
  for (const piece of pieces) reader.write(piece);
  reader.end();
  return buffer(reader);
}

/** A string of a column file has its length in front. */
const inColumn = (text: string): Buffer => {
  const { length } = text;
  return Buffer.concat([Buffer.from(length < 128 ? [length] : [(length & 127) | 128, length >> 7]), Buffer.from(text)]);
};

test.each(WRITTEN)('what ClickHouse wrote is read: %j', async (text, block) => {
  expect((await read(Buffer.from(block, 'base64'))).equals(inColumn(text))).toBe(true);
});

test('blocks may come in any pieces', async () => {
  const all = Buffer.concat(WRITTEN.map(([, block]) => Buffer.from(block, 'base64')));
  const pieces = Array.from({ length: all.length }, (_, at) => all.subarray(at, at + 1));
  expect((await read(...pieces)).equals(await read(all))).toBe(true);
});

test.each([0, 1, 14, 15, 16, 269, 270, 65_535, 65_536, 65_537, 200_000])(
  '%d bytes come back as they went',
  async (length) => {
    const bytes = Buffer.from(Array.from({ length }, (_, n) => (n * 7) & 255));
    const writer = new BlockWriter();
    writer.end(bytes);
    expect((await read(await buffer(writer))).equals(bytes)).toBe(true);
  },
);

test.each<[string, (block: Buffer) => unknown, string]>([
  ['a changed byte', (block) => block.writeUInt8(1, 30), 'CHECKSUM_DOESNT_MATCH'],
  ['a length beyond the end', (block) => block.writeUInt32LE(1000, 17), 'CANNOT_DECOMPRESS'],
  ['a length that cannot be', (block) => block.writeUInt32LE(0xffffffff, 17), 'CANNOT_DECOMPRESS'],
  ['noise', (block) => block.fill('INSERT'), 'CANNOT_DECOMPRESS'],
])('%s is refused', async (_what, damage, type) => {
  const block = Buffer.from(WRITTEN[3][1], 'base64');
  damage(block);
  await expect(read(block)).rejects.toMatchObject({ type });
});

test('LZ4 that was damaged at random is refused or gives as many bytes as it says, seed fixed', () => {
  let state = 20_261_126;
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  const whole = Buffer.from(WRITTEN[3][1], 'base64').subarray(25);
  let refused = 0;
  for (let round = 0; round < 2_000; round++) {
    const block = Buffer.from(whole.subarray(0, 1 + below(whole.length)));
    for (let change = below(4); change >= 0; change--) block[below(block.length)] = below(256);
    try {
      expect(expandLz4(block, 41)).toHaveLength(41);
    } catch (error) {
      expect(error).toBeInstanceOf(Lz4Error);
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(1_000);
});
