/**
 * Overwrites what an LMDB file holds beside its data: deleting an entry leaves its bytes in free pages, in the gaps of pages and
 * behind values, until something else happens to be written there.
 * Layout of the LMDB that `lmdb` 3.5 bundles (mdb.c, data format 2), little-endian: a page header of 24 bytes; pages 0 and 1 are
 * meta pages, each with one committed state.
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';

const HEADER = 24;
const MAGIC = 0xbeefc0de;
const META = { magic: HEADER, pageSize: HEADER + 24, roots: [HEADER + 64, HEADER + 112], end: HEADER + 136 };
const PAGE = { flags: 18, lower: 20, upper: 22 };
const BRANCH = 0x01;
const LEAF = 0x02;
const NODE = { header: 8, bigData: 0x01, subDatabase: 0x02 };
/** Offset of the root in the record of a named database, `MDB_db`. */
const ROOT = 40;
const NO_PAGE = 0xffffffffffffffffn;
/** Pages overwritten at once. */
const RUN = 256;

/**
 * Writes zeros over every byte of the file that belongs to neither of its two committed states. The caller is the only process
 * that has the file open, writes nothing meanwhile and reads no older state. A crash in between does no harm.
 */
export function scrubFreeSpace(path: string): void {
  const file = openSync(path, 'r+');
  try {
    new Scrubber(file).run();
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

class Scrubber {
  private readonly pageSize: number;
  private readonly pages: number;
  private readonly used: Uint8Array;
  private readonly page: Buffer;

  constructor(private readonly file: number) {
    const meta = Buffer.alloc(META.end);
    readSync(file, meta, 0, META.end, 0);
    if (meta.readUInt32LE(META.magic) !== MAGIC) throw new Error('not an LMDB file');
    this.pageSize = meta.readUInt32LE(META.pageSize);
    this.pages = Math.ceil(fstatSync(file).size / this.pageSize);
    this.used = new Uint8Array(this.pages);
    this.page = Buffer.alloc(this.pageSize);
  }

  run(): void {
    for (const meta of [0, 1]) {
      this.used[meta] = 1;
      readSync(this.file, this.page, 0, this.pageSize, meta * this.pageSize);
      const roots = META.roots.map((at) => this.page.readBigUInt64LE(at));
      for (const root of roots) this.walk(root);
    }
    const zeros = Buffer.alloc(RUN * this.pageSize);
    for (let from = 0; from < this.pages; from++) {
      let to = from;
      while (to < this.pages && !this.used[to] && to - from < RUN) to++;
      if (to > from) writeSync(this.file, zeros, 0, (to - from) * this.pageSize, from * this.pageSize);
      from = Math.max(from, to - 1);
    }
  }

  /** Marks the pages of a tree, and clears what lies between and behind their entries. */
  private walk(root: bigint): void {
    const todo = root === NO_PAGE ? [] : [Number(root)];
    for (let number = todo.pop(); number !== undefined; number = todo.pop()) {
      if (this.used[number]) continue; // both states have it
      this.used[number] = 1;
      readSync(this.file, this.page, 0, this.pageSize, number * this.pageSize);
      const flags = this.page.readUInt16LE(PAGE.flags);
      if (!(flags & (BRANCH | LEAF))) throw new Error(`page ${number} is none of a tree`);
      this.clear(number, HEADER + this.page.readUInt16LE(PAGE.lower), HEADER + this.page.readUInt16LE(PAGE.upper));
      const nodes = this.page.readUInt16LE(PAGE.lower) >> 1;
      for (let node = 0; node < nodes; node++) {
        const at = HEADER + this.page.readUInt16LE(HEADER + node * 2);
        if (flags & BRANCH) todo.push(this.page.readUInt32LE(at) + this.page.readUInt16LE(at + 4) * 2 ** 32);
        else todo.push(...this.leaf(at));
      }
    }
  }

  /** @returns the root of a named database, when the entry is one */
  private leaf(at: number): number[] {
    const flags = this.page.readUInt16LE(at + 4);
    const value = at + NODE.header + this.page.readUInt16LE(at + 6);
    if (flags & NODE.subDatabase) {
      const root = this.page.readBigUInt64LE(value + ROOT);
      return root === NO_PAGE ? [] : [Number(root)];
    }
    if (flags & NODE.bigData) {
      const first = Number(this.page.readBigUInt64LE(value));
      const length = HEADER + this.page.readUInt32LE(at);
      const count = Math.ceil(length / this.pageSize);
      if (this.used[first]) return [];
      this.used.fill(1, first, first + count);
      this.clear(first, length, count * this.pageSize);
    }
    return [];
  }

  private clear(page: number, from: number, to: number): void {
    if (to > from) writeSync(this.file, Buffer.alloc(to - from), 0, to - from, page * this.pageSize + from);
  }
}
