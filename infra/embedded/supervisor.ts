import { setTimeout as delay } from 'node:timers/promises';
import { type ChildEngine, type ChildOptions, type EngineName, startEngineProcess } from './child';
import type { Engine } from './engine';

const RESTART_AFTER = 200;

/**
 * Starts an engine in a process of its own and starts it again, at the same port, whenever that process ends by itself. What was
 * acknowledged is on disk; the clients reconnect.
 * @param report gets one sentence for each unexpected end
 * @throws EngineStartError when the first start fails
 */
export async function superviseEngine(
  name: EngineName,
  options: ChildOptions,
  report: (message: string) => void,
): Promise<Engine> {
  let closing = false;
  let child: ChildEngine = await startEngineProcess(name, options);
  const { port, url } = child;
  const watch = (): void => {
    child.process.once('exit', (code, signal) => {
      if (closing) return;
      report(`The ${name} engine ended (${signal ?? `exit code ${code}`}); starting it again.`);
      void restart();
    });
  };
  const restart = async (): Promise<void> => {
    while (!closing) {
      try {
        child = await startEngineProcess(name, { ...options, port });
        if (closing) return await child.close();
        watch();
        return;
      } catch (error) {
        report(`The ${name} engine does not start: ${(error as Error).message}`);
        await delay(RESTART_AFTER);
      }
    }
  };
  watch();
  return {
    url,
    port,
    close: async () => {
      closing = true;
      await child.close();
    },
  };
}
