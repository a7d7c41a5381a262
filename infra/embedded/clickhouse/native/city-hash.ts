/**
 * CityHash128 as of version 1.0.2, which ClickHouse froze for the checksums of its compressed blocks; later versions of CityHash
 * give other numbers. Constants and steps are those of Google's `city.cc` 1.0.2 (MIT).
 */
type Pair = readonly [bigint, bigint];

const K0 = 0xc3a5c85c97cb3127n;
const K1 = 0xb492b66fbe98f273n;
const K2 = 0x9ae16a3b2f90404fn;
const K3 = 0xc949d7c7509e6557n;
const MUL = 0x9ddfea08eb382d69n;

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const rotate = (value: bigint, by: bigint): bigint => (by === 0n ? value : u64((value >> by) | (value << (64n - by))));
const shiftMix = (value: bigint): bigint => value ^ (value >> 47n);

function mix(u: bigint, v: bigint): bigint {
  const a = shiftMix(u64((u ^ v) * MUL));
  return u64(shiftMix(u64((v ^ a) * MUL)) * MUL);
}

/** The checksum of a block, as it stands on the wire: low half first, both little-endian. */
export function cityHash128(bytes: Buffer): Buffer {
  const [low, high] = hash(bytes);
  const out = Buffer.allocUnsafe(16);
  out.writeBigUInt64LE(low, 0);
  out.writeBigUInt64LE(high, 8);
  return out;
}

function hash(bytes: Buffer): Pair {
  const { length } = bytes;
  if (length >= 16) return withSeed(bytes.subarray(16), [bytes.readBigUInt64LE(0) ^ K3, bytes.readBigUInt64LE(8)]);
  if (length < 8) return withSeed(bytes, [K0, K1]);
  const seed: Pair = [bytes.readBigUInt64LE(0) ^ u64(BigInt(length) * K0), bytes.readBigUInt64LE(length - 8) ^ K1];
  return withSeed(Buffer.alloc(0), seed);
}

function withSeed(bytes: Buffer, seed: Pair): Pair {
  if (bytes.length < 128) return murmur(bytes, seed);
  const at = (offset: number): bigint => bytes.readBigUInt64LE(offset);
  const weak = (offset: number, a: bigint, b: bigint): Pair => {
    const first = a + at(offset);
    const z = at(offset + 24);
    const sum = u64(first + at(offset + 8) + at(offset + 16));
    return [u64(sum + z), u64(rotate(u64(b + first + z), 21n) + rotate(sum, 44n) + first)];
  };
  let [x, y] = seed;
  let z = u64(BigInt(bytes.length) * K1);
  const v0 = u64(rotate(y ^ K1, 49n) * K1 + at(0));
  let v: Pair = [v0, u64(rotate(v0, 42n) * K1 + at(8))];
  let w: Pair = [u64(rotate(u64(y + z), 35n) * K1 + x), u64(rotate(u64(x + at(88)), 53n) * K1)];
  let offset = 0;
  for (; bytes.length - (offset & ~127) >= 128; offset += 64) {
    x = u64(rotate(u64(x + y + v[0] + at(offset + 16)), 37n) * K1) ^ w[1];
    y = u64(rotate(u64(y + v[1] + at(offset + 48)), 42n) * K1) ^ v[0];
    const turned = rotate(z ^ w[0], 33n);
    v = weak(offset, u64(v[1] * K1), u64(x + w[0]));
    w = weak(offset + 32, u64(turned + w[1]), y);
    z = x;
    x = turned;
  }
  y = u64(y + rotate(w[0], 37n) * K0 + z);
  x = u64(x + rotate(u64(v[0] + z), 49n) * K0);
  let w0 = w[0];
  for (let end = bytes.length - 32; end > offset - 32; end -= 32) {
    y = u64(rotate(u64(y - x), 42n) * K0 + v[1]);
    w0 = u64(w0 + at(end + 16));
    x = u64(rotate(x, 49n) * K0 + w0);
    w0 = u64(w0 + v[0]);
    v = weak(end, v[0], v[1]);
  }
  x = mix(x, v[0]);
  y = mix(y, w0);
  return [u64(mix(u64(x + v[1]), w[1]) + y), mix(u64(x + w[1]), u64(y + v[1]))];
}

function murmur(bytes: Buffer, [low, high]: Pair): Pair {
  const { length } = bytes;
  let a = low;
  let b = high;
  let c: bigint;
  let d: bigint;
  if (length <= 16) {
    a = u64(shiftMix(u64(a * K1)) * K1);
    c = u64(b * K1 + upTo16(bytes));
    d = shiftMix(u64(a + (length >= 8 ? bytes.readBigUInt64LE(0) : c)));
  } else {
    c = mix(u64(bytes.readBigUInt64LE(length - 8) + K1), a);
    d = mix(u64(b + BigInt(length)), u64(c + bytes.readBigUInt64LE(length - 16)));
    a = u64(a + d);
    for (let offset = 0; offset < length - 16; offset += 16) {
      a = u64((a ^ u64(shiftMix(u64(bytes.readBigUInt64LE(offset) * K1)) * K1)) * K1);
      b ^= a;
      c = u64((c ^ u64(shiftMix(u64(bytes.readBigUInt64LE(offset + 8) * K1)) * K1)) * K1);
      d ^= c;
    }
  }
  a = mix(a, c);
  b = mix(d, b);
  return [a ^ b, mix(b, a)];
}

function upTo16(bytes: Buffer): bigint {
  const { length } = bytes;
  const size = BigInt(length);
  if (length > 8) {
    const last = bytes.readBigUInt64LE(length - 8);
    return mix(bytes.readBigUInt64LE(0), rotate(u64(last + size), size)) ^ last;
  }
  if (length >= 4) return mix(size + (BigInt(bytes.readUInt32LE(0)) << 3n), BigInt(bytes.readUInt32LE(length - 4)));
  if (length === 0) return K2;
  const y = BigInt(bytes[0]! + (bytes[length >> 1]! << 8));
  const z = BigInt(length + (bytes[length - 1]! << 2));
  return u64(shiftMix(u64(y * K2) ^ u64(z * K3)) * K2);
}
