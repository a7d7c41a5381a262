import { execFileSync, spawn } from 'node:child_process';
import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { UsageError } from '../data-folder';
import { wholeFile } from './whole-file';

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attest-whole-file-'));
  file = join(folder, 'report.csv');
});

afterEach(() => rmSync(folder, { recursive: true }));

const halfThen = (end: () => Promise<string>) => (handle: number) => {
  writeSync(handle, 'half ');
  return end();
};

describe('A file that is written as a whole', () => {
  it('has its name, and whom it is for, once it is there', async () => {
    const written = wholeFile(
      file,
      halfThen(() => {
        expect(readdirSync(folder)).toEqual(['report.csv.part']);
        return Promise.resolve('all of it');
      }),
      0o600,
    );
    await expect(written).resolves.toBe('all of it');
    expect(readdirSync(folder)).toEqual(['report.csv']);
    expect(readFileSync(file, 'utf8')).toBe('half ');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('is as it was when what writes it fails', async () => {
    writeFileSync(file, 'before');
    const failure = new Error('broke off');
    await expect(
      wholeFile(
        file,
        halfThen(() => Promise.reject(failure)),
      ),
    ).rejects.toBe(failure);
    expect(readdirSync(folder)).toEqual(['report.csv']);
    expect(readFileSync(file, 'utf8')).toBe('before');
  });

  it.each([
    ['in a folder that is not there', () => join(folder, 'none', 'report.csv')],
    ['a folder', () => folder],
  ])('given %s, then one sentence names it before anything is asked for', async (_, place) => {
    const write = jest.fn();
    const refused = wholeFile(place(), write);
    await expect(refused).rejects.toThrow(UsageError);
    await expect(refused).rejects.toThrow(`${place()} cannot be written: `);
    expect(write).not.toHaveBeenCalled();
  });

  it('given a link, then what it leads to is written', async () => {
    const link = join(folder, 'link.csv');
    writeFileSync(file, 'before');
    symlinkSync(file, link);
    await wholeFile(
      link,
      halfThen(() => Promise.resolve('')),
    );
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe('half ');
  });

  it('given a pipe, then it is written to and stays one', async () => {
    execFileSync('mkfifo', [file]);
    const reader = spawn('cat', [file]);
    const read = text(reader.stdout);
    await wholeFile(
      file,
      halfThen(() => Promise.resolve('')),
    );
    expect(await read).toBe('half ');
    expect(statSync(file).isFIFO()).toBe(true);
  });
});
