import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { EngineStartError } from '../engine';

const run = promisify(execFile);
const NAME = 'nats-server';
/** Debian puts servers where the PATH of an ordinary user does not look. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin'];
/** Where this exists, installing the package would also start a second server, of the system, at NATS's own port. */
const SYSTEMD = '/run/systemd/system';

/**
 * The nats-server to run: the one that ATTEST_NATS_SERVER names, or one that is installed, or Debian's package, which is
 * installed as root and otherwise, or where that would start a service, unpacked below the data folder.
 * @throws EngineStartError that says what to install
 */
export async function findNatsServer(dataDir: string, onProgress: (message: string) => void): Promise<string> {
  const named = process.env.ATTEST_NATS_SERVER;
  if (named) {
    if (isExecutable(named)) return named;
    throw new EngineStartError(`ATTEST_NATS_SERVER names ${named}, which cannot be executed.`);
  }
  const unpacked = join(dataDir, 'package');
  const found = installed() ?? executable(join(unpacked, 'usr', 'sbin', NAME));
  if (found) return found;
  onProgress('There is no nats-server here; getting it from Debian ...');
  try {
    if (process.getuid?.() === 0 && !existsSync(SYSTEMD)) await install();
    else await unpack(unpacked);
  } catch (error) {
    rmSync(unpacked, { recursive: true, force: true });
    const why = (error as Error).message.split('\n')[0];
    throw new EngineStartError(
      `No nats-server was found, and Debian's package could not be had (${why}): install nats-server 2.9 or newer.`,
    );
  }
  const got = installed() ?? executable(join(unpacked, 'usr', 'sbin', NAME));
  if (got) return got;
  throw new EngineStartError(
    "Debian's package was installed but has no nats-server: install nats-server 2.9 or newer.",
  );
}

async function install(): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update', '-qq'], { env });
  await run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', NAME], { env });
}

/** The package's files without its installation; a server whose dependencies are the C library alone needs no more. */
async function unpack(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  await run('apt-get', ['download', NAME], { cwd: folder });
  const archive = readdirSync(folder).find((file) => file.endsWith('.deb'));
  if (!archive) throw new Error('apt-get downloaded nothing');
  await run('dpkg-deb', ['-x', join(folder, archive), folder]);
}

function installed(): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter).filter(Boolean), ...SYSTEM_FOLDERS];
  return folders.map((folder) => join(folder, NAME)).find(isExecutable);
}

function executable(file: string): string | undefined {
  return isExecutable(file) ? file : undefined;
}

function isExecutable(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false; // it is there, but not for us
  }
}
