import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openMasterKeys, parseMasterKeys } from '.';

const key = (letter: string): string => Buffer.alloc(32, letter).toString('base64');

it('reads several keys, the first of which wraps', () => {
  const keys = parseMasterKeys(`2026:${key('b')}, 2025:${key('a')}\n`);
  expect(keys.map(({ id, key }) => [id, Buffer.from(key).toString()])).toEqual([
    ['2026', 'b'.repeat(32)],
    ['2025', 'a'.repeat(32)],
  ]);
});

it.each([
  ['', 'key 1 is not <id>:<32 bytes in base64>'],
  [key('a'), 'key 1 is not'],
  [`2026:${key('a').slice(4)}`, 'key 1 is not'],
  [`2026:${key('b')},`, 'key 2 is not'],
  [`a:${key('a')},a:${key('b')}`, 'two keys have the same id'],
])('refuses %s and shows no key', (text, problem) => {
  expect(() => parseMasterKeys(text)).toThrow(problem);
  expect(() => parseMasterKeys(text)).not.toThrow(key('a').slice(4, 20));
});

it('makes a key of its own where there is no file, for the owner only, and keeps it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'attest-keys-'));
  try {
    const file = join(folder, 'new', 'master-keys');
    const made = openMasterKeys(file);
    expect(made).toHaveLength(1);
    expect(openMasterKeys(file)).toEqual(made);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    writeFileSync(file, `next:${key('n')},${readFileSync(file, 'utf8')}`);
    expect(openMasterKeys(file).map(({ id }) => id)).toEqual(['next', 'local']);
    writeFileSync(file, 'spoiled');
    expect(() => openMasterKeys(file)).toThrow(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
