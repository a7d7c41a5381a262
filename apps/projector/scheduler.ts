import type { Db } from 'mongodb';
import { abortableDelay } from '../../infra/abortable-delay';
import type { Log } from '../../infra/log';
import { derivedId } from '../../packages/eventsourcing';
import { type Deadline, type DeadlinesDocument, findDue } from '../../projections/mongo/deadlines';

/** A command whose time has come. */
export interface DueCommand {
  readonly tenant: string;
  readonly commandId: string;
  readonly type: string;
  readonly data: object;
  /** ISO 8601. */
  readonly at: string;
}

export interface SchedulerOptions {
  readonly dispatch: (command: DueCommand) => Promise<unknown>;
  /** Whether a command's failure is for good (say so once) or for now (try again). */
  readonly isFinal: (error: unknown) => boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: Log;
}

/** How long the scheduler rests when nothing is due, in milliseconds. */
const REST = 1_000;
const LONGEST_REST = 30_000;
const AT_ONCE = 500;
/** What was sent is not sent again for so long, in milliseconds: the read model may not have seen what came of it yet. */
const PATIENCE = 10_000;

/**
 * Sends what has become due, from the read model of deadlines. What was missed while nothing ran is caught up. Command ids follow from the
 * deadline, so that a second scheduler, or one that was killed, sends nothing twice.
 */
export class Scheduler {
  private readonly sent = new Map<string, number>();

  constructor(
    private readonly db: Db,
    private readonly options: SchedulerOptions,
  ) {}

  async run(signal: AbortSignal): Promise<void> {
    for (let rest = REST; !signal.aborted;) {
      try {
        rest = (await this.poll()) > 0 ? 0 : REST;
      } catch (error) {
        rest = Math.min(Math.max(rest, REST) * 2, LONGEST_REST);
        this.options.log.error({ err: error, retryInMs: rest }, 'scheduler stopped; trying again');
      }
      if (rest > 0) await abortableDelay(rest, signal);
    }
  }

  /** Sends what is due now. Gives how many commands that were. */
  async poll(): Promise<number> {
    const now = this.options.now();
    for (const [id, at] of this.sent) if (at + PATIENCE < now) this.sent.delete(id);
    const due = await findDue(this.db, new Date(now).toISOString(), AT_ONCE + this.sent.size);
    const commands = due.flatMap((document) => this.commandsOf(document, new Date(now).toISOString()));
    await Promise.all(commands.map((command) => this.send(command, now)));
    return commands.length;
  }

  private commandsOf({ _id, tenant, deadlines }: DeadlinesDocument, now: string): DueCommand[] {
    return deadlines
      .filter((deadline) => deadline.at <= now && (deadline.until === null || now < deadline.until))
      .map((deadline) => ({ tenant, commandId: idOf(_id, deadline), ...deadline.command, at: deadline.at }))
      .filter(({ commandId }) => !this.sent.has(commandId));
  }

  private async send(command: DueCommand, now: number): Promise<void> {
    try {
      await this.options.dispatch(command);
    } catch (error) {
      if (!this.options.isFinal(error)) throw error;
      this.options.log.error({ err: error, command }, 'a deadline led to a command that was refused');
    }
    this.sent.set(command.commandId, now);
  }
}

function idOf(document: string, { at, command }: Deadline): string {
  return derivedId('deadline', document, command.type, at);
}
