/** Looks at an LMDB file before it is mapped: reading past the end of a shortened file would end the process. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** What is wrong with the file, as the end of a sentence; undefined when it looks whole. */
export function checkDataFile(path: string): string | undefined {
  const file = openSync(path, 'r');
  try {
    const { size } = fstatSync(file);
    const head = Buffer.alloc(32);
    readSync(file, head, 0, 32, 0);
    return size > 0 ? undefined : 'is empty';
  } finally {
    closeSync(file);
  }
}
