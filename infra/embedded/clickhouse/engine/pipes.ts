import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** One named pipe. The engine writes a result into it and waits whenever the reader does. */
export interface ResultPipe {
  path: string;
  /** What the engine wrote; ends after `finish`. */
  stream: Socket;
  /** To be called once the engine is done writing: what is in the pipe is still delivered, then the stream ends. */
  finish(): void;
  /** Takes the reading end away: the engine's next write fails, which ends the query. */
  destroy(): void;
}

/**
 * Named pipes, made once: the engine can write a result of any format to a path but hands over at most a whole result in
 * memory otherwise.
 */
export class Pipes {
  private constructor(private readonly free: string[]) {}

  static async make(folder: string, count: number): Promise<Pipes> {
    const paths = Array.from({ length: count }, (_, n) => join(folder, `result-${n}`));
    await promisify(execFile)('mkfifo', ['-m', '600', ...paths]);
    return new Pipes(paths);
  }

  open(): ResultPipe {
    const path = this.free.pop();
    if (path === undefined) throw new Error('More results than places for queries');
    // Held open for writing too, so that the reader sees an end only when this side says so.
    const holder = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    const stream = new Socket({
      fd: openSync(path, constants.O_RDONLY | constants.O_NONBLOCK),
      readable: true,
      writable: false,
    });
    stream.on('close', () => closeHolder());
    stream.on('error', () => stream.destroy());
    let held = true;
    const closeHolder = (): void => {
      if (!held) return;
      held = false;
      closeSync(holder);
    };
    return { path, stream, finish: closeHolder, destroy: () => stream.destroy() };
  }

  /** Gives a pipe back once no query writes to it any more. */
  release({ path, stream }: ResultPipe): void {
    stream.destroy();
    this.free.push(path);
  }
}
