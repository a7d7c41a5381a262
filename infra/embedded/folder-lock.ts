/** One process per data folder. LMDB itself would let several in, each with its own idea of the next position. */
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { EngineStartError } from './engine';

/** Who holds a lock. `started` tells a process from a later one with the same number. */
export interface Holder {
  pid: number;
  started: string;
}

/**
 * Takes the lock file, or takes it over from a process that is gone.
 * @returns the function that gives it back
 * @throws EngineStartError when another engine uses the folder
 */
export function acquireLock(path: string, dataDir: string): () => void {
  const own = thisProcess();
  const candidate = `${path}.${process.pid}`;
  writeFileSync(candidate, JSON.stringify(own));
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      try {
        linkSync(candidate, path); // Fails when the file exists, in one step.
        return () => rmSync(path, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const holder = readHolder(path);
      if ((holder && isRunning(holder)) || !removeStale(path, holder)) break;
    }
  } finally {
    rmSync(candidate, { force: true });
  }
  throw new EngineStartError(`The data folder ${dataDir} is in use by another process; stop that engine first.`);
}

/** This process, so that others can tell whether it still runs. */
export function thisProcess(): Holder {
  return { pid: process.pid, started: startOf(process.pid) };
}

/** Moves a dead holder's file away; false when another process was faster and its lock stands there by now. */
function removeStale(path: string, stale: Holder | undefined): boolean {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
  const moved = readHolder(aside);
  const same = moved?.pid === stale?.pid && moved?.started === stale?.started;
  if (!same) renameSync(aside, path);
  rmSync(aside, { force: true });
  return same;
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined; // Gone, or cut off by a crash: nobody holds it.
  }
}

/** Whether that very process still runs, not a later one with its number. */
export function isRunning({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  return startOf(pid) === started;
}

/** When a process started, in clock ticks since boot (field 22 of /proc/PID/stat); elsewhere the number alone must do. */
function startOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? '' : (fields[19] ?? ''); // a zombie has ended; only its parent has not looked yet
  } catch {
    return '';
  }
}
