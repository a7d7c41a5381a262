import { hash } from 'node:crypto';

/** A hash is 32 bytes of SHA-256. */
export const HASH_BYTES = 32;

export function sha256(bytes: string | Buffer): Buffer {
  return hash('sha256', bytes, 'buffer');
}

const LEAF = Buffer.of(0x00);
const NODE = Buffer.of(0x01);

/** RFC 9162, 2.1.1: the hash of one leaf, set apart from the hash of a node by its first byte. */
export function leafHash(input: string | Buffer): Buffer {
  return sha256(typeof input === 'string' ? `\0${input}` : Buffer.concat([LEAF, input]));
}

/** RFC 9162, 2.1.1: the hash of a node over its two halves. */
export function nodeHash(left: Buffer, right: Buffer): Buffer {
  return sha256(Buffer.concat([NODE, left, right]));
}

/** RFC 9162, 2.1.1: the root of a tree without leaves. */
export const EMPTY_ROOT = sha256('');

/**
 * The right edge of a tree: the roots of its whole subtrees, largest first, one for each bit that is set in its size. All that is
 * needed to go on, so that a tree of any size grows in O(log n) memory.
 */
export class Frontier {
  private constructor(
    private leaves: number,
    private readonly roots: Buffer[],
  ) {}

  static empty(): Frontier {
    return new Frontier(0, []);
  }

  /** @throws RangeError when so many subtrees do not make a tree of that size */
  static of(size: number, subtrees: readonly Buffer[]): Frontier {
    if (!Number.isSafeInteger(size) || size < 0 || subtrees.length !== bits(size)) {
      throw new RangeError(`${subtrees.length} subtrees do not make a tree of ${size} leaves`);
    }
    return new Frontier(size, [...subtrees]);
  }

  get size(): number {
    return this.leaves;
  }

  get subtrees(): readonly Buffer[] {
    return this.roots;
  }

  append(leaf: Buffer): void {
    let root = leaf;
    for (let size = this.leaves; size % 2 === 1; size = (size - 1) / 2) root = nodeHash(this.roots.pop()!, root);
    this.roots.push(root);
    this.leaves++;
  }

  root(): Buffer {
    return this.roots.length === 0 ? EMPTY_ROOT : this.roots.reduceRight((right, left) => nodeHash(left, right));
  }

  copy(): Frontier {
    return new Frontier(this.leaves, [...this.roots]);
  }
}

/** A tree that is held whole, 64 bytes a leaf, to prove things about. */
export class MerkleTree {
  /** Of every height the roots of the whole subtrees, side by side. */
  private readonly levels: Buffer[];

  /** @param leaves leaf hashes side by side */
  constructor(leaves: Buffer) {
    this.levels = [leaves];
    for (let below = leaves; below.length >= 2 * HASH_BYTES; below = this.levels.at(-1)!) {
      const level = Buffer.alloc(Math.floor(below.length / (2 * HASH_BYTES)) * HASH_BYTES);
      for (let i = 0; i < level.length; i += HASH_BYTES) {
        nodeHash(hashAt(below, 2 * i), hashAt(below, 2 * i + HASH_BYTES)).copy(level, i);
      }
      this.levels.push(level);
    }
  }

  get size(): number {
    return this.levels[0]!.length / HASH_BYTES;
  }

  leaf(index: number): Buffer {
    return hashAt(this.levels[0]!, index * HASH_BYTES);
  }

  /** Root of the tree as it was at a size. */
  root(size = this.size): Buffer {
    return size === 0 ? EMPTY_ROOT : this.rootOf(0, size);
  }

  /** RFC 9162, 2.1.3.1. @throws RangeError for a leaf that the tree does not have at that size */
  inclusionProof(index: number, size = this.size): Buffer[] {
    if (!(index >= 0 && index < size && size <= this.size)) {
      throw new RangeError(`a tree of ${Math.min(size, this.size)} leaves has no leaf ${index}`);
    }
    return this.path(index, 0, size);
  }

  /** RFC 9162, 2.1.4.1. @throws RangeError unless 0 < from <= size */
  consistencyProof(from: number, size = this.size): Buffer[] {
    if (!(from > 0 && from <= size && size <= this.size)) {
      throw new RangeError(`a tree of ${Math.min(size, this.size)} leaves did not come from one of ${from}`);
    }
    return this.subproof(from, 0, size, true);
  }

  private path(index: number, start: number, size: number): Buffer[] {
    if (size === 1) return [];
    const half = splitOf(size);
    return index < half
      ? [...this.path(index, start, half), this.rootOf(start + half, size - half)]
      : [...this.path(index - half, start + half, size - half), this.rootOf(start, half)];
  }

  private subproof(from: number, start: number, size: number, known: boolean): Buffer[] {
    if (from === size) return known ? [] : [this.rootOf(start, size)];
    const half = splitOf(size);
    return from <= half
      ? [...this.subproof(from, start, half, known), this.rootOf(start + half, size - half)]
      : [...this.subproof(from - half, start + half, size - half, false), this.rootOf(start, half)];
  }

  private rootOf(start: number, size: number): Buffer {
    const height = Math.log2(size);
    if (Number.isInteger(height)) return hashAt(this.levels[height]!, (start / size) * HASH_BYTES);
    const half = splitOf(size);
    return nodeHash(this.rootOf(start, half), this.rootOf(start + half, size - half));
  }
}

/** RFC 9162, 2.1.3.2: whether the leaf stands at this index of the tree with this root. */
export function verifyInclusion(
  leaf: Buffer,
  index: number,
  size: number,
  proof: readonly Buffer[],
  root: Buffer,
): boolean {
  if (!(index >= 0 && index < size)) return false;
  let [fn, sn, r] = [index, size - 1, leaf];
  for (const p of proof) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      r = nodeHash(p, r);
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else r = nodeHash(r, p);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && r.equals(root);
}

/** RFC 9162, 2.1.4.2: whether the second tree is the first with more leaves behind it. */
export function verifyConsistency(
  first: { readonly size: number; readonly root: Buffer },
  second: { readonly size: number; readonly root: Buffer },
  proof: readonly Buffer[],
): boolean {
  if (first.size <= 0 || first.size > second.size) return false;
  if (first.size === second.size) return proof.length === 0 && first.root.equals(second.root);
  const path = Number.isInteger(Math.log2(first.size)) ? [first.root, ...proof] : [...proof];
  if (path.length === 0) return false;
  let [fn, sn] = [first.size - 1, second.size - 1];
  while (fn % 2 === 1) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  let [fr, sr] = [path[0]!, path[0]!];
  for (const c of path.slice(1)) {
    if (sn === 0) return false;
    if (fn % 2 === 1 || fn === sn) {
      [fr, sr] = [nodeHash(c, fr), nodeHash(c, sr)];
      while (fn % 2 === 0 && fn !== 0) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else sr = nodeHash(sr, c);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  return sn === 0 && fr.equals(first.root) && sr.equals(second.root);
}

/** The largest power of two below a size. */
function splitOf(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1);
}

function bits(size: number): number {
  return [...size.toString(2)].filter((bit) => bit === '1').length;
}

function hashAt(level: Buffer, offset: number): Buffer {
  return level.subarray(offset, offset + HASH_BYTES);
}
