import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEngineProcess } from '.';

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
      // Its own session has its share of the processors lowered too, where the kernel gives sessions shares.
      const autogroup = `/proc/${pid}/autogroup`;
      if (existsSync(autogroup)) expect(readFileSync(autogroup, 'utf8')).toMatch(new RegExp(` nice ${nice}$`, 'm'));
    } finally {
      await engine.close();
    }
  });
});
