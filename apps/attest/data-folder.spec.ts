import { chmodSync, mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolder, UsageError } from './data-folder';

/** Does the work as somebody who is not root, to whom permissions do not apply. */
function asNobody<T>(work: () => T): T {
  if (process.getuid!() !== 0) return work();
  process.seteuid!(65_534);
  try {
    return work();
  } finally {
    process.seteuid!(0);
  }
}

describe('The data folder', () => {
  it.each(['itself', 'below it'])('that may not be read is refused in one sentence: %s', (where) => {
    const folder = mkdtempSync(join(tmpdir(), 'attest-locked-'));
    chmodSync(folder, 0);
    const path = where === 'itself' ? folder : join(folder, 'data');
    const claim = (): unknown => asNobody(() => new DataFolder(path).claim());
    expect(claim).toThrow(UsageError);
    expect(claim).toThrow(`The data folder ${path} cannot be used: you may not read and write it.`);
    rmdirSync(folder);
  });

  it('on a full disk is refused in one sentence', () => {
    const path = mkdtempSync(join(tmpdir(), 'attest-full-'));
    const claim = (): unknown => new DataFolder(path).claim(Number.MAX_SAFE_INTEGER);
    expect(claim).toThrow(UsageError);
    expect(claim).toThrow(
      `The data folder ${path} cannot be used: the disk is full. Free it, or name another with --data.`,
    );
    new DataFolder(path).claim()();
    rmdirSync(path);
  });
});
