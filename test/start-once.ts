import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from './e2e/until';

/**
 * Starts what all workers of Jest share: the first that asks does, in a folder that was not there before, and the others wait until it has.
 * @throws what `start` rejects with; Error for those who wait for it in vain
 */
export async function startOnce(folder: string, start: () => Promise<void>): Promise<void> {
  const started = join(folder, 'started');
  if (mkdirSync(folder, { recursive: true })) {
    await start();
    writeFileSync(started, '');
  } else await until(() => existsSync(started));
}
