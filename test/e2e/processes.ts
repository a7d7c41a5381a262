/** Processes as Linux shows them under /proc. */
import { readdirSync, readFileSync } from 'node:fs';
import { until } from './until';

export interface RunningProcess {
  readonly pid: number;
  /** Its command line, arguments parted by spaces. */
  readonly command: string;
}

/** The living processes that this one has started. */
export function childrenOf(parent: number): RunningProcess[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => statusOf(pid)?.parent === parent)
    .map((pid) => ({ pid, command: readProcess(pid, 'cmdline')?.replaceAll('\0', ' ').trim() ?? '' }));
}

/** Resolves when none of these is alive. */
export function gone(processes: readonly Pick<RunningProcess, 'pid'>[]): Promise<void> {
  return until(() => processes.every(({ pid }) => statusOf(pid) === undefined));
}

/** Undefined for a process that has ended, also when nobody has collected its exit code yet. */
function statusOf(pid: number): { parent: number } | undefined {
  const stat = readProcess(pid, 'stat');
  // The name in parentheses may hold spaces; state and parent follow it.
  const [, state, parent] = /\) (\S) (\d+) /.exec(stat ?? '') ?? [];
  return state === undefined || state === 'Z' || state === 'X' ? undefined : { parent: Number(parent) };
}

/** Undefined when the process ended in the meantime. */
function readProcess(pid: number, file: 'stat' | 'cmdline'): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
