import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngineProcess } from '.';

const SCHED_IDLE = '5';

/** Field 41, counted from after the name of the program, which is field 2, stands in brackets and may hold anything. */
function policyOf(stat: string): string | undefined {
  return readFileSync(stat, 'utf8').split(') ').at(-1)!.split(' ')[38];
}

describe('An engine', () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'attest-nice-'));
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it.each([7, 0])('that is asked to be nice by %d gives way by that with all of its threads', async (nice) => {
    const before = getPriority();
    const engine = await startEngineProcess('mongodb', { dataDir, port: 0, nice });
    try {
      const { pid } = engine.process;
      const threads = readdirSync(`/proc/${pid}/task`).map(Number);
      const expected = Math.max(nice, before);
      expect(threads.length).toBeGreaterThan(1);
      expect([...new Set(threads.map((thread) => getPriority(thread)))]).toEqual([expected]);
      const policies = threads.map((thread) => policyOf(`/proc/${pid}/task/${thread}/stat`));
      expect([...new Set(policies)]).toEqual([nice > 0 ? SCHED_IDLE : policyOf('/proc/self/stat')]);
      // Its own session has its share of the processors lowered too, where the kernel gives sessions shares.
      const autogroup = `/proc/${pid}/autogroup`;
      if (existsSync(autogroup)) expect(readFileSync(autogroup, 'utf8')).toMatch(new RegExp(` nice ${nice}$`, 'm'));
    } finally {
      await engine.close();
    }
  });
});
