import { serialize } from 'bson';
import { RawDocument, RawFields, readDocument, sameBytes } from './read';

/** A document of one int32 whose name is these bytes, valid UTF-8 or not. */
const named = (name: Buffer): Buffer => {
  const bytes = Buffer.alloc(name.length + 11);
  bytes.writeInt32LE(bytes.length, 0);
  bytes[4] = 0x10;
  name.copy(bytes, 5);
  return bytes;
};

const nameOf = (name: Buffer): string => [...readDocument(named(name)).keys()][0]!;

it('reads names as their own bytes say, whatever names were read before', () => {
  const names = ['a', 'é', 'éa', 'aé', '', 'a'.repeat(24), 'a'.repeat(25), '日本', '😀', 'tenant', 'tanent'];
  for (let round = 0; round < 3; round++)
    for (const name of names) expect(nameOf(Buffer.from(name, 'utf8'))).toBe(name);
  // The character code of a byte that is no UTF-8 is not that byte.
  for (const bytes of [[0xe9], [0xe9, 0x61], [0x61, 0xe9], [0xff, 0xff]])
    expect(nameOf(Buffer.from(bytes))).toBe(Buffer.from(bytes).toString('utf8'));
  expect(nameOf(Buffer.from('é', 'utf8'))).toBe('é');
});

it('tells names apart that share a place among the recent ones', () => {
  const names = Array.from({ length: 5_000 }, (_, n) => `f${n % 10}x${n}y`);
  for (const name of names) expect(nameOf(Buffer.from(name))).toBe(name);
});

it('finds fields in one pass as it finds them one by one', () => {
  const bytes = Buffer.from(serialize({ q: { _id: 1 }, u: { a: 'text' }, upsert: true, long: 'x'.repeat(100) }));
  const raw = new RawDocument(bytes);
  const fields = new RawFields(raw);
  expect(fields.names()).toEqual(['q', 'u', 'upsert', 'long']);
  for (const name of [...fields.names(), 'missing']) {
    expect(fields.find(name)).toEqual(raw.find(name));
    expect(fields.get(name)).toEqual(raw.get(name));
  }
});

it('compares stretches of bytes, short and long, by length and content', () => {
  for (const length of [0, 1, 64, 65, 1_000]) {
    const a = Buffer.alloc(length + 2, 1);
    const b = Buffer.alloc(length + 3, 1);
    expect(sameBytes(a, 1, 1 + length, b, 2, 2 + length)).toBe(true);
    expect(sameBytes(a, 0, 1 + length, b, 2, 2 + length)).toBe(false);
    if (length === 0) continue;
    b[1 + length] = 2;
    expect(sameBytes(a, 1, 1 + length, b, 2, 2 + length)).toBe(false);
  }
});
