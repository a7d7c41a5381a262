/**
 * Looks at an LMDB file before it is mapped: reading past the end of a shortened file ends the process with SIGBUS.
 * Layout: `MDB_meta` in liblmdb's mdb.c, little-endian, behind a page header of 24 bytes, once in each of the first two pages.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const MAGIC = 0xbeefc0de;
const META = { magic: 24, version: 28, pageSize: 48, lastPage: 144, transaction: 152, end: 160 };
const DATA_VERSION = 2;
const PAGE_SIZES = [4096, 8192, 16_384, 32_768, 65_536];

/** What is wrong with the file, as the end of a sentence; undefined when it is as long as its newest commit says. */
export function checkDataFile(path: string): string | undefined {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const first = readMeta(file, 0);
    if (!first) return size < META.end ? 'is cut short' : 'is not an LMDB file of this engine';
    const second = readMeta(file, first.pageSize);
    if (!second) return 'is cut short';
    const newest = first.transaction > second.transaction ? first : second;
    // The writer never frees a page that it took in the same transaction, so the last page is always in the file.
    return size < (newest.lastPage + 1) * newest.pageSize ? 'is cut short' : undefined;
  } finally {
    closeSync(file);
  }
}

interface Meta {
  pageSize: number;
  lastPage: number;
  transaction: bigint;
}

function readMeta(file: number, offset: number): Meta | undefined {
  const page = Buffer.alloc(META.end);
  if (readSync(file, page, 0, META.end, offset) < META.end) return undefined;
  const pageSize = page.readUInt32LE(META.pageSize);
  if (page.readUInt32LE(META.magic) !== MAGIC || page.readUInt32LE(META.version) !== DATA_VERSION) return undefined;
  if (!PAGE_SIZES.includes(pageSize)) return undefined;
  const lastPage = Number(page.readBigUInt64LE(META.lastPage));
  return { pageSize, lastPage, transaction: page.readBigUInt64LE(META.transaction) };
}
