import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { getPriority, platform, setPriority } from 'node:os';

const AUTOGROUP = '/proc/self/autogroup';
/** Puts all threads of a process among those that run only where nothing else wants to (`SCHED_IDLE`, `man 7 sched`): Node itself cannot. */
const IDLE = ['--all-tasks', '--idle', '--pid', '0'];

/**
 * Lets this process wait for others that want the same processors: on one machine, reading gives way to writing. To be called before threads are
 * started, since each has the niceness of the one that started it. Never takes back what was given away before.
 *
 * Linux shares processors out to sessions before it does to what runs in them (`man 7 sched`, "The autogroup feature"), so whoever leads a
 * session has its share lowered as well. To the kernel, a processor with nothing on it but threads of `SCHED_IDLE` is a free one; so where `chrt` is
 * at hand, as on every Debian, these are. Elsewhere niceness alone remains.
 * @param niceness 0, which does nothing, to 19
 */
export function beNice(niceness: number): void {
  if (niceness === 0) return;
  if (platform() !== 'linux') return setPriority(Math.max(niceness, getPriority()));
  for (const thread of readdirSync('/proc/self/task').map(Number)) {
    if (getPriority(thread) < niceness) setPriority(thread, niceness);
  }
  spawnSync('chrt', [...IDLE, String(process.pid)], { stdio: 'ignore' });
  if (!leadsSession() || !existsSync(AUTOGROUP)) return;
  const [, current] = / nice (-?\d+)/.exec(readFileSync(AUTOGROUP, 'utf8')) ?? [];
  if (Number(current) < niceness) writeFileSync(AUTOGROUP, String(niceness));
}

function leadsSession(): boolean {
  // The name of the program stands in brackets and may hold anything; the session is field 6.
  const [, , , session] = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)!.split(' ');
  return Number(session) === process.pid;
}
