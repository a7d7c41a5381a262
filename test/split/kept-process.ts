import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** A process that has said where it listens. */
export interface StartedProcess {
  readonly process: ChildProcess;
  readonly url: string;
  readonly port: number;
}

/** Starts the process at this port; 0 takes a free one. Rejects when it ends before it listens. */
export type StartProcess = (port: number) => Promise<StartedProcess>;

/**
 * One process that is started again, at the same port, whenever it ends: what a container runtime does in production. Its end can
 * be brought about, and its return held back.
 */
export class KeptProcess {
  private constructor(
    readonly name: string,
    private readonly startAt: StartProcess,
    private current: StartedProcess,
  ) {
    this.watch();
  }

  private closing = false;
  private held = false;
  private back: Promise<void> = Promise.resolve();
  /** Wakes whoever waits for `release`. */
  private released: () => void = () => undefined;

  static async start(name: string, startAt: StartProcess): Promise<KeptProcess> {
    return new KeptProcess(name, startAt, await startAt(0));
  }

  get url(): string {
    return this.current.url;
  }

  get pid(): number {
    return this.current.process.pid!;
  }

  /** `kill -9`; resolves when it is gone. Its successor is on its way then; see `returned`. */
  async kill(): Promise<void> {
    const { process } = this.current;
    const gone = once(process, 'exit');
    process.kill('SIGKILL');
    await gone;
  }

  /** `kill -9`, and nothing takes its place before `release`. */
  async hold(): Promise<void> {
    this.held = true;
    await this.kill();
  }

  /** Ends what `hold` began; resolves when the process listens again. */
  async release(): Promise<void> {
    this.held = false;
    this.released();
    await this.returned();
  }

  /** Resolves when the successor of a process that was killed listens. @throws Error when it does not start */
  returned(): Promise<void> {
    return this.back;
  }

  /** Asks it to end and waits until it has. */
  async close(): Promise<void> {
    this.closing = true;
    this.released();
    await this.back.catch(() => undefined); // whoever waited for it has been told
    const { process } = this.current;
    if (process.exitCode !== null || process.signalCode !== null) return;
    const gone = once(process, 'exit');
    process.kill('SIGTERM');
    await gone;
  }

  private watch(): void {
    this.current.process.once('exit', () => {
      if (this.closing) return;
      this.back = this.restart();
      this.back.catch(() => undefined); // told by `returned`
    });
  }

  private async restart(): Promise<void> {
    if (this.held) await new Promise<void>((resolve) => (this.released = resolve));
    if (this.closing) return;
    this.current = await this.startAt(this.current.port);
    this.watch();
  }
}
