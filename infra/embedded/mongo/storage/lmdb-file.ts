import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';

/**
 * Checks an LMDB file before it is mapped: reading a mapped page that the file no longer has would end the process with SIGBUS.
 * Layout of the LMDB that `lmdb` 3.5 bundles (mdb.c, data format 2): a page header of 24 bytes; pages 0 and 1 are meta pages.
 */
const MAGIC = 0xbeefc0de;
const HEADER = 24;
const META = {
  pageSize: HEADER + 24,
  freeRoot: HEADER + 64,
  mainRoot: HEADER + 112,
  lastPage: HEADER + 120,
  txn: HEADER + 128,
};
const PAGE_FLAGS = 18;
const PAGE_LOWER = 20;
const BRANCH = 0x01;
const LEAF = 0x02;
const NODE_BIG_DATA = 0x01;
const NO_PAGE = 0xffffffffffffffffn;

/** What is wrong with the file, or undefined. Reads only. */
export function damageOf(path: string): string | undefined {
  if (!existsSync(path)) return 'it is missing';
  const file = openSync(path, 'r');
  try {
    const size = fstatSync(file).size;
    const meta = newestMeta(file, size);
    if (!meta) return 'its header is not that of an LMDB file';
    const pages = Math.floor(size / meta.pageSize);
    if (pages > meta.lastPage) return undefined;
    // LMDB may leave the last pages of a transaction unwritten when they were freed again, so a short file need not be damaged.
    const reaches = highestPage(file, meta, pages);
    return reaches < pages ? undefined : `it is cut off after ${size} bytes`;
  } finally {
    closeSync(file);
  }
}

interface Meta {
  pageSize: number;
  lastPage: number;
  roots: bigint[];
  txn: bigint;
}

function newestMeta(file: number, size: number): Meta | undefined {
  const first = readMeta(file, 0, size);
  if (!first) return undefined;
  const second = readMeta(file, first.pageSize, size);
  return second && second.txn > first.txn ? second : first;
}

function readMeta(file: number, at: number, size: number): Meta | undefined {
  const bytes = Buffer.alloc(META.txn + 8);
  if (at + bytes.length > size || readSync(file, bytes, 0, bytes.length, at) < bytes.length) return undefined;
  if (bytes.readUInt32LE(HEADER) !== MAGIC) return undefined;
  return {
    pageSize: bytes.readUInt32LE(META.pageSize),
    lastPage: Number(bytes.readBigUInt64LE(META.lastPage)),
    roots: [bytes.readBigUInt64LE(META.freeRoot), bytes.readBigUInt64LE(META.mainRoot)],
    txn: bytes.readBigUInt64LE(META.txn),
  };
}

/** The highest page that the trees refer to; stops at the first one beyond `pages`. */
function highestPage(file: number, meta: Meta, pages: number): number {
  const page = Buffer.alloc(meta.pageSize);
  const todo = meta.roots.filter((root) => root !== NO_PAGE).map(Number);
  let highest = 1;
  for (let number = todo.pop(); number !== undefined; number = todo.pop()) {
    highest = Math.max(highest, number);
    if (number >= pages) return number;
    readSync(file, page, 0, page.length, number * page.length);
    for (const child of childrenOf(page, page.readUInt16LE(PAGE_FLAGS))) {
      if (child.leaf) highest = Math.max(highest, child.last);
      else todo.push(child.last);
      if (highest >= pages) return highest;
    }
  }
  return highest;
}

/** Pages that a page refers to: the children of a branch, the overflow pages of a leaf. */
function* childrenOf(page: Buffer, flags: number): Generator<{ last: number; leaf: boolean }> {
  if (!(flags & (BRANCH | LEAF))) return;
  const nodes = page.readUInt16LE(PAGE_LOWER) >> 1;
  for (let node = 0; node < nodes; node++) {
    const at = HEADER + page.readUInt16LE(HEADER + node * 2);
    if (at + 8 > page.length) return;
    const low = page.readUInt32LE(at);
    const nodeFlags = page.readUInt16LE(at + 4);
    if (flags & BRANCH) {
      yield { last: low + nodeFlags * 2 ** 32, leaf: false };
    } else if (nodeFlags & NODE_BIG_DATA) {
      const value = at + 8 + page.readUInt16LE(at + 6);
      if (value + 8 > page.length) return;
      const overflow = Math.ceil((low + HEADER) / page.length);
      yield { last: Number(page.readBigUInt64LE(value)) + overflow - 1, leaf: true };
    }
  }
}
