import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { scrubFreeSpace } from './lmdb-scrub';

const SECRET = 'Ada-Lovelace';
const folder = mkdtempSync(join(tmpdir(), 'attest-scrub-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** A file with this many entries per table, one in seven of them secret and removed again. */
function prepare(name: string, count: number, size: (i: number) => number) {
  const path = join(folder, name);
  const env = open<string, string>({ path, noSubdir: true, encoding: 'string', overlappingSync: false });
  const tables = ['a', 'b'].map((table) => env.openDB<string, string>(table, { encoding: 'string' }));
  const kept = new Map<string, string>();
  for (const [t, table] of tables.entries()) {
    for (let from = 0; from < count; from += 100) {
      env.transactionSync(() => {
        for (let i = from; i < from + 100; i++) {
          const isSecret = i % 7 === 0;
          const value = `${isSecret ? SECRET : 'kept'}-${i}-`.padEnd(size(i), isSecret ? SECRET : '.');
          table.putSync(`key-${i}`, value);
          if (!isSecret) kept.set(`${t} key-${i}`, value);
        }
      });
    }
  }
  for (const table of tables) {
    env.transactionSync(() => {
      for (let i = 0; i < count; i += 7) table.removeSync(`key-${i}`);
    });
  }
  for (let commit = 0; commit < 2; commit++) env.transactionSync(() => tables[0]!.putSync('commit', `${commit}`));
  env.resetReadTxn();
  return { path, env, tables, kept };
}

it.each([
  ['small values', 3_000, () => 60],
  ['values that fill pages', 700, (i: number) => 500 + ((i * 977) % 3_000)],
  ['values of several pages', 300, (i: number) => 3_000 + ((i * 7_919) % 30_000)],
])('leaves nothing of removed %s in the file, and everything else as it was', async (name, count, size) => {
  const { path, env, tables, kept } = prepare(name.replaceAll(' ', '-'), count, size);
  expect(readFileSync(path).includes(SECRET)).toBe(true);
  scrubFreeSpace(path);
  expect(readFileSync(path).includes(SECRET)).toBe(false);

  const all = (): Map<string, string> =>
    new Map(
      tables.flatMap((table, t) =>
        [...table.getRange({})].filter(({ key }) => key !== 'commit').map(({ key, value }) => [`${t} ${key}`, value]),
      ),
    );
  expect(all()).toEqual(kept);
  // What is written from then on takes the freed pages.
  for (let i = 0; i < 300; i++) tables[i % 2]!.putSync(`more-${i}`, 'x'.repeat(size(i)));
  await env.close();
  const again = open<string, string>({ path, noSubdir: true, encoding: 'string' });
  for (const [t, table] of ['a', 'b'].entries()) {
    const stored = again.openDB<string, string>(table, { encoding: 'string' });
    for (const [key, value] of kept) if (key.startsWith(`${t} `)) expect(stored.get(key.slice(2))).toBe(value);
    expect(stored.getKeysCount()).toBe(
      [...kept.keys()].filter((key) => key.startsWith(`${t} `)).length + 150 + (t === 0 ? 1 : 0),
    );
  }
  await again.close();
});
