/** What another process of this machine uses, as Linux tells it: unlike the time on the clock, the same on a busy machine. */
import { readFileSync } from 'node:fs';

/** Memory in bytes, without the pages of mapped files, which the system takes back when it needs them. */
export function anonymousMemory(pid: number): number {
  const [, kilobytes] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes ?? 0) * 1024;
}

/** Seconds of processor time that all of its threads have taken since it began. */
export function processorSeconds(pid: number): number {
  // The name of the program stands in brackets and may hold anything; fields 14 and 15 are in hundredths of a second.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
