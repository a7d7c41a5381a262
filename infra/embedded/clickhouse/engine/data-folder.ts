/**
 * The data folder: made by this engine or refused, used by one process at a time.
 *
 *   format.json   marks the folder; written with `ready: false` first, and with `ready: true` once the database stands
 *   engine.lock   who uses the folder now
 *   data/         ClickHouse's own files
 *   spool/        data of inserts on its way in, results on their way out; emptied at every start
 *   config.xml, users.xml   ClickHouse's configuration, written at every start
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { EngineStartError } from '../../engine';
import { acquireLock } from '../../folder-lock';

const FORMAT = 'attest-clickhouse';
const VERSION = 1;
const MARKER = 'format.json';
const LOCK = 'engine.lock';
const DATA = 'data';
const SPOOL = 'spool';
/** Without these the folder has lost its tables. */
const PARTS = ['store', 'metadata'];
/** Left by a start that was killed before the marker stood. */
const LEFTOVER = /^(engine\.lock.*|format\.json\.new)$/;

export interface DataFolder {
  readonly path: string;
  readonly data: string;
  readonly spool: string;
  /** Marks a new folder as complete; call it once the database stands. */
  ready(): void;
  release(): void;
}

/** @throws EngineStartError when the folder belongs to someone else, is damaged, or is in use; nothing in it is changed then */
export function openDataFolder(dataDir: string): DataFolder {
  const folder = resolve(dataDir);
  try {
    mkdirSync(folder, { recursive: true });
  } catch (error) {
    throw new EngineStartError(`The data folder ${folder} cannot be made: ${(error as Error).message}.`);
  }
  inspect(folder);
  const release = acquireLock(join(folder, LOCK), folder);
  try {
    const data = join(folder, DATA);
    const spool = join(folder, SPOOL);
    if (!inspect(folder)) {
      // Nothing was ever acknowledged from a folder that did not become ready.
      rmSync(data, { recursive: true, force: true });
      writeMarker(folder, false);
    }
    rmSync(spool, { recursive: true, force: true });
    mkdirSync(spool);
    return {
      path: folder,
      data,
      spool,
      ready() {
        // ClickHouse makes them with its first table only.
        for (const part of PARTS) mkdirSync(join(data, part), { recursive: true });
        writeMarker(folder, true);
      },
      release() {
        rmSync(spool, { recursive: true, force: true });
        release();
      },
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Whether the folder is ready for use; false when it is new. Reads only. */
function inspect(folder: string): boolean {
  if (!existsSync(join(folder, MARKER))) {
    const foreign = readdirSync(folder).find((name) => !LEFTOVER.test(name));
    if (foreign === undefined) return false;
    throw new EngineStartError(
      `The folder ${folder} holds files that are not of the embedded ClickHouse (${foreign}); choose an empty folder.`,
    );
  }
  const { format, version, ready } = readMarker(folder);
  if (format !== FORMAT || version !== VERSION) {
    throw new EngineStartError(
      `The data folder ${folder} is not of this embedded ClickHouse: its ${MARKER} says ${String(format)} ${String(version)}.`,
    );
  }
  if (ready !== true) return false;
  for (const part of PARTS) {
    if (existsSync(join(folder, DATA, part))) continue;
    throw new EngineStartError(
      `The data folder ${folder} is damaged: ${DATA}/${part} is missing; restore it from a backup.`,
    );
  }
  return true;
}

function readMarker(folder: string): { format?: unknown; version?: unknown; ready?: unknown } {
  try {
    return JSON.parse(readFileSync(join(folder, MARKER), 'utf8')) as object;
  } catch (error) {
    throw new EngineStartError(
      `The data folder ${folder} is damaged: ${MARKER} cannot be read (${(error as Error).message}).`,
    );
  }
}

function writeMarker(folder: string, ready: boolean): void {
  const marker = join(folder, MARKER);
  writeFileSync(`${marker}.new`, JSON.stringify({ format: FORMAT, version: VERSION, ready }), { flush: true });
  renameSync(`${marker}.new`, marker);
}
