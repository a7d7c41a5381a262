import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../e2e/api-client';
import { attempted, hired } from '../e2e/records';

const RETRY_AFTER = 20;
/** One of so many commands hires somebody, which leads to an enrollment and a notification. */
const HIRE_EVERY = 4;

export interface InsistentLoadOptions {
  readonly people: ApiClient;
  readonly assessment: ApiClient;
  readonly senders: number;
  /** Milliseconds that a sender rests between two commands. */
  readonly rest: number;
}

/** Commands, each sent with its id until it is accepted, as a learning app must. */
export class InsistentLoad {
  /** Ids of what was acknowledged. */
  readonly attempts: string[] = [];
  readonly hires: string[] = [];
  /** Answers that asked for another try. */
  retried = 0;
  private sending = false;
  private senders: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: InsistentLoadOptions) {}

  get acknowledged(): number {
    return this.attempts.length + this.hires.length;
  }

  /** Sends until `stop`; may be started again. */
  start(): void {
    this.sending = true;
    this.senders = Promise.all(Array.from({ length: this.options.senders }, () => this.send()));
    this.senders.catch(() => undefined); // told by `stop`
  }

  /** Resolves when all that was sent is acknowledged. @throws Error when a command was refused for good */
  async stop(): Promise<void> {
    this.sending = false;
    await this.senders;
  }

  private async send(): Promise<void> {
    const { people, assessment, rest } = this.options;
    for (let sent = 0; this.sending; sent++) {
      if (sent % HIRE_EVERY === 0) {
        const hire = hired();
        await this.insist(people, 'hire-person', hire, hire.person);
        this.hires.push(hire.person);
      } else {
        const attempt = attempted(randomUUID(), 'safety', 50);
        await this.insist(assessment, 'record-attempt', attempt, attempt.attempt);
        this.attempts.push(attempt.attempt);
      }
      if (rest > 0) await delay(rest);
    }
  }

  private async insist(client: ApiClient, command: string, data: object, id: string): Promise<void> {
    for (;;) {
      const { status, body } = await client.send(command, data, { 'idempotency-key': id });
      if (status === 200) return;
      if (status < 500) throw new Error(`${command} was refused: ${JSON.stringify(body)}`);
      this.retried++;
      await delay(RETRY_AFTER);
    }
  }
}
