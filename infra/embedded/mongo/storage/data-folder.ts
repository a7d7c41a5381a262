import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineStartError } from '../../engine';
import { damageOf } from './lmdb-file';

/** STORAGE FORMAT: the marker's engine and format number; another number means another layout of keys. */
const ENGINE = 'attest-mongodb';
const FORMAT = 1;
const MARKER = 'attest-mongodb.json';
const LOCK = 'attest-mongodb.lock';
const DATABASE = 'data.mdb';

const openHere = new Set<string>();

/** A data folder that this process owns until `release`. */
export interface DataFolder {
  databasePath: string;
  /** Marks a new folder as complete; call it once the database file is written. */
  ready(): void;
  release(): void;
}

/**
 * Takes a folder for this process alone, or refuses it without changing anything in it.
 * @throws EngineStartError when the folder is foreign, of another format, truncated, or in use.
 */
export function takeFolder(dataDir: string): DataFolder {
  const dir = resolve(dataDir);
  const fresh = inspect(dir);
  mkdirSync(dir, { recursive: true });
  lock(dir);
  try {
    if (fresh) {
      for (const name of [DATABASE, `${DATABASE}-lock`]) rmSync(join(dir, name), { force: true });
      writeMarker(dir, 'creating');
    }
  } catch (error) {
    unlock(dir);
    throw error;
  }
  return {
    databasePath: join(dir, DATABASE),
    ready: () => {
      if (fresh) writeMarker(dir, 'ready');
    },
    release: () => unlock(dir),
  };
}

/** Whether the folder is to be filled; throws when it is not ours or not whole. */
function inspect(dir: string): boolean {
  if (!existsSync(dir)) return true;
  if (!statSync(dir).isDirectory()) throw new EngineStartError(`${dir} is a file; the mongodb engine needs a folder.`);
  const names = readdirSync(dir).filter((name) => name !== LOCK);
  if (names.length === 0) return true;
  if (!names.includes(MARKER))
    throw new EngineStartError(
      `${dir} holds files but no ${MARKER}, so it is not a data folder of the mongodb engine; choose another folder.`,
    );
  const marker = readMarker(dir);
  if (marker.engine !== ENGINE || marker.format !== FORMAT)
    throw new EngineStartError(
      `${dir} is in format ${JSON.stringify(marker.format ?? null)} of ${JSON.stringify(marker.engine ?? null)}; this engine reads format ${FORMAT} of "${ENGINE}".`,
    );
  if (marker.state === 'creating') return true;
  const damage = damageOf(join(dir, DATABASE));
  if (damage) throw new EngineStartError(`${join(dir, DATABASE)} is damaged: ${damage}; restore it from a backup.`);
  return false;
}

function readMarker(dir: string): { engine?: unknown; format?: unknown; state?: unknown } {
  try {
    const marker: unknown = JSON.parse(readFileSync(join(dir, MARKER), 'utf8'));
    return typeof marker === 'object' && marker !== null ? marker : {};
  } catch {
    // Unreadable is the same answer as foreign: the caller reports what it found.
    return {};
  }
}

function writeMarker(dir: string, state: 'creating' | 'ready'): void {
  const path = join(dir, MARKER);
  const file = openSync(`${path}.new`, 'w');
  writeSync(file, `${JSON.stringify({ engine: ENGINE, format: FORMAT, state })}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}

/** The start time of a process in clock ticks, which tells a living owner from another process with its old number. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    // No /proc on this system: the process number alone must do.
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function lock(dir: string): void {
  const path = join(dir, LOCK);
  if (openHere.has(dir)) throw inUse(dir, process.pid);
  for (;;) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, `${process.pid} ${startTime(process.pid)}\n`);
      closeSync(file);
      openHere.add(dir);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
        throw new EngineStartError(`The mongodb engine cannot write to ${dir}: ${(error as Error).message}.`);
    }
    const [pid = 0, started = ''] = readFileSync(path, 'utf8').trim().split(' ');
    const owner = Number(pid);
    if (owner !== process.pid && owner > 0 && isAlive(owner) && startTime(owner) === started) throw inUse(dir, owner);
    rmSync(path, { force: true });
  }
}

const inUse = (dir: string, pid: number): EngineStartError =>
  new EngineStartError(`${dir} is in use by process ${pid}; a data folder serves one mongodb engine at a time.`);

function unlock(dir: string): void {
  openHere.delete(dir);
  rmSync(join(dir, LOCK), { force: true });
}
