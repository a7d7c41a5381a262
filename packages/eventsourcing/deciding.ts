import { type AnyDecider, DomainError } from './decider';
import type { AppendResult } from './event-store';
import type { Actor, Command, DomainEvent, NewEvent } from './messages';

/** What comes with a command but is not part of it. */
export interface CommandContext {
  readonly tenant: string;
  readonly actor: Actor;
  /** Repeating a command with the same id changes nothing and answers as before. */
  readonly commandId: string;
  readonly correlationId: string;
  readonly causationId: string;
  /** Optimistic concurrency for the caller (`If-Match`): the revision that the caller saw. */
  readonly expectedRevision?: number | undefined;
}

export interface CommandResult {
  readonly stream: string;
  /** Revision of the stream's last event after the command. */
  readonly revision: number;
  /** Position that a query must have reached to see this command's effect. */
  readonly position: bigint;
  /** Wire names of the events that the command led to, now or when it was first sent. */
  readonly events: readonly string[];
  /** `already-known`: this call appended nothing, because the command or its effect was there before. */
  readonly outcome: 'accepted' | 'already-known';
}

/** The stream is not at the revision that the caller named. */
export class RevisionMismatchError extends Error {
  override name = 'RevisionMismatchError';
  constructor(
    readonly stream: string,
    readonly expected: number,
    readonly actual: number,
  ) {
    super(`${stream} is at revision ${actual}, not ${expected}: read it again and decide anew`);
  }
}

export interface PastCommand {
  readonly events: readonly string[];
  readonly revision: number;
  readonly position: bigint;
}

/** An aggregate as last seen: its state and all that the next append needs. */
export interface Loaded {
  readonly state: unknown;
  readonly revision: number;
  readonly position: bigint;
  readonly hash: string;
  readonly commands: Map<string, PastCommand>;
  /** False after an append: had another process sent the same command, the store kept its events, with other hashes. */
  readonly isAsStored: boolean;
}

/** A command whose turn it is. */
export interface Ready {
  readonly decider: AnyDecider;
  readonly command: Command;
  readonly context: CommandContext;
}

/** What is to become of one command, decided behind those that came before it. */
export type Verdict =
  | {
      readonly kind: 'decided';
      readonly commandId: string;
      readonly events: readonly string[];
      readonly revision: number;
    }
  /** There is nothing to do. */
  | { readonly kind: 'unchanged'; readonly revision: number }
  | { readonly kind: 'known'; readonly past: PastCommand }
  /** It came twice, and was decided the first time. */
  | { readonly kind: 'repeated'; readonly first: Verdict }
  | { readonly kind: 'refused'; readonly error: DomainError | RevisionMismatchError };

/** Neither a guess nor a remembered state may say it: another process may have moved the stream. */
export function saysNo({ kind }: Verdict): boolean {
  return kind === 'refused' || kind === 'unchanged';
}

/** What commands for one stream come to. */
export interface Decided {
  /** One for each command, in order. */
  readonly verdicts: readonly Verdict[];
  readonly events: readonly NewEvent[];
  /** The aggregate with these events. */
  readonly state: unknown;
  readonly hash: string;
}

/** Turns what one command led to into events of its stream. @param previous hash of the event before */
export type Prepare = (events: readonly DomainEvent[], ready: Ready, previous: string) => Promise<readonly NewEvent[]>;

/** Decides commands for one stream one behind the other, each on the state that those before it lead to. */
export async function decideTogether(
  stream: string,
  loaded: Loaded,
  commands: readonly Ready[],
  prepare: Prepare,
): Promise<Decided> {
  let { state, hash, revision } = loaded;
  const verdicts: Verdict[] = [];
  const events: NewEvent[] = [];
  const firsts = new Map<string, Verdict>();
  for (const ready of commands) {
    const { decider, command, context } = ready;
    const { commandId, expectedRevision: expected } = context;
    const first = firsts.get(commandId);
    const past = loaded.commands.get(commandId);
    if (past || first) {
      verdicts.push(past ? { kind: 'known', past } : { kind: 'repeated', first: first! });
      continue;
    }
    const decision = decideOrRefuse(decider, command, state);
    if (expected !== undefined && expected !== revision) {
      verdicts.push({ kind: 'refused', error: new RevisionMismatchError(stream, expected, revision) });
    } else if ('refusal' in decision) verdicts.push({ kind: 'refused', error: decision.refusal });
    else if (decision.events.length === 0) verdicts.push({ kind: 'unchanged', revision });
    else {
      const prepared = await prepare(decision.events, ready, hash);
      state = decision.events.reduce((before, event) => decider.evolve(before, event) as unknown, state);
      hash = prepared[prepared.length - 1]!.metadata.hash;
      revision += prepared.length;
      events.push(...prepared);
      verdicts.push({ kind: 'decided', commandId, events: prepared.map(({ type }) => type), revision });
    }
    firsts.set(commandId, verdicts[verdicts.length - 1]!);
  }
  return { verdicts, events, state, hash };
}

/**
 * What the sender of a command is told.
 * @param position of the last event of its stream, once everything is appended
 * @param outcome of the append
 */
export function resultOf(
  stream: string,
  verdict: Verdict,
  position: AppendResult['position'],
  outcome: CommandResult['outcome'],
): PromiseSettledResult<CommandResult> {
  const result = (value: Omit<CommandResult, 'stream'>): PromiseSettledResult<CommandResult> => ({
    status: 'fulfilled',
    value: { stream, ...value },
  });
  switch (verdict.kind) {
    case 'decided':
      return result({ events: verdict.events, revision: verdict.revision, position, outcome });
    case 'unchanged':
      return result({ events: [], revision: verdict.revision, position, outcome: 'already-known' });
    case 'known':
      return result({ ...verdict.past, outcome: 'already-known' });
    case 'repeated':
      return resultOf(stream, verdict.first, position, 'already-known');
    case 'refused':
      return { status: 'rejected', reason: verdict.error };
  }
}

function decideOrRefuse(
  decider: AnyDecider,
  command: Command,
  state: unknown,
): { events: readonly DomainEvent[] } | { refusal: DomainError } {
  try {
    return { events: decider.decide(command, state) as readonly DomainEvent[] };
  } catch (error) {
    if (error instanceof DomainError) return { refusal: error };
    throw error;
  }
}
