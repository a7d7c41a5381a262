/**
 * The data folder: made by this engine or refused, used by one process at a time.
 *
 *   format.json   marks the folder; written first with `ready: false`, and with `ready: true` once the tables exist
 *   engine.lock   who uses the folder now
 *   events.mdb    LMDB data file, events.mdb-lock its reader table
 */
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
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { EngineStartError } from '../../engine';
import { acquireLock } from '../../folder-lock';
import { checkDataFile } from './lmdb-file';
import { Store } from './store';

const FORMAT = 'attest-eventstore';
const VERSION = 1;
const MARKER = 'format.json';
const LOCK = 'engine.lock';
const DATA = 'events.mdb';
/** Left by a start that was killed before the marker stood. */
const LEFTOVER = /^(engine\.lock.*|format\.json\.new)$/;

export interface DataFolder {
  store: Store;
  close(): Promise<void>;
}

/**
 * Opens a folder, or makes a new one.
 * @throws EngineStartError when it belongs to someone else, is damaged, or is in use; nothing in it is changed then
 */
export function openDataFolder(dataDir: string): DataFolder {
  try {
    mkdirSync(dataDir, { recursive: true });
  } catch (error) {
    throw new EngineStartError(`The data folder ${dataDir} cannot be made: ${(error as Error).message}.`);
  }
  const data = join(dataDir, DATA);
  inspect(dataDir, data);
  const release = acquireLock(join(dataDir, LOCK), dataDir);
  try {
    // Looked at again under the lock: another process may have made or changed the folder since.
    if (!inspect(dataDir, data)) {
      // Nothing was ever acknowledged from a folder that did not become ready.
      for (const leftover of [data, `${data}-lock`]) rmSync(leftover, { force: true });
      writeMarker(dataDir, false);
    }
    const store = new Store(data);
    writeMarker(dataDir, true);
    return {
      store,
      async close() {
        await store.close();
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Whether the folder is ready for use; false when it is new. Reads only. */
function inspect(dataDir: string, data: string): boolean {
  const marker = readMarker(dataDir);
  if (marker === undefined) {
    const foreign = readdirSync(dataDir).filter((name) => !LEFTOVER.test(name));
    if (foreign.length === 0) return false;
    throw new EngineStartError(
      `The folder ${dataDir} holds files that are not of the embedded EventStoreDB (${foreign[0]}); choose an empty folder.`,
    );
  }
  if (!marker.ready) return false;
  if (!existsSync(data)) {
    throw new EngineStartError(`The data folder ${dataDir} is damaged: ${DATA} is missing; restore it from a backup.`);
  }
  const damage = checkDataFile(data);
  if (damage)
    throw new EngineStartError(`The data folder ${dataDir} is damaged: ${DATA} ${damage}; restore it from a backup.`);
  return true;
}

function readMarker(dataDir: string): { ready: boolean } | undefined {
  const path = join(dataDir, MARKER);
  if (!existsSync(path)) return undefined;
  let marker: { format?: unknown; version?: unknown; ready?: unknown } | null;
  try {
    marker = JSON.parse(readFileSync(path, 'utf8')) as typeof marker;
  } catch {
    marker = null; // Not ours, or damaged: the sentence below says so.
  }
  if (marker?.format !== FORMAT) {
    throw new EngineStartError(`The file ${path} is not one of the embedded EventStoreDB; choose an empty folder.`);
  }
  if (marker.version !== VERSION) {
    throw new EngineStartError(
      `The data folder ${dataDir} has format ${String(marker.version)}; this engine reads format ${VERSION}.`,
    );
  }
  return { ready: marker.ready === true };
}

/** Replaces the marker in one step, so that a crash leaves the old one or the new one. */
function writeMarker(dataDir: string, ready: boolean): void {
  const path = join(dataDir, MARKER);
  const file = openSync(`${path}.new`, 'w');
  writeSync(file, `${JSON.stringify({ format: FORMAT, version: VERSION, ready })}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
}
