import { closeSync, existsSync, openSync, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { UsageError } from '../data-folder';

/**
 * Writes a file under another name until it is whole; behind a link, the one that it leads to. What is there and no plain file, as a pipe or a
 * device, is written to as it is.
 * @param write gets what it writes to; the file has its name once this resolves, and is gone if it rejects
 * @param mode who may read it
 * @throws UsageError when it cannot be written
 */
export async function wholeFile<T>(file: string, write: (handle: number) => Promise<T>, mode = 0o666): Promise<T> {
  const isPlain = statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;
  const place = isPlain && existsSync(file) ? realpathSync(file) : file;
  const written = isPlain ? `${place}.part` : place;
  const handle = open(written, file, mode);
  try {
    const result = await write(handle);
    if (isPlain) renameSync(written, place);
    return result;
  } catch (error) {
    if (isPlain) rmSync(written, { force: true });
    throw error;
  } finally {
    closeSync(handle);
  }
}

function open(written: string, file: string, mode: number): number {
  try {
    return openSync(written, 'w', mode);
  } catch (error) {
    throw new UsageError(`${file} cannot be written: ${(error as Error).message}.`);
  }
}
