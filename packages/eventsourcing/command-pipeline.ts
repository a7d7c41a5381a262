import { type AnyDecider, type Decider, DomainError } from './decider';
import { type AppendResult, type EventStore, type ExpectedRevision, WrongExpectedRevisionError } from './event-store';
import { CHAIN_START, chainHash } from './integrity';
import type { Actor, Command, DomainEvent, NewEvent } from './messages';
import { hasPersonal } from './personal-data';
import { StateCache } from './state-cache';
import { eventId, streamName } from './streams';
import type { EventCatalog } from './upcasting';

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

/** Other writers won every time. The caller may retry with the same command id. */
export class TooManyConflictsError extends Error {
  override name = 'TooManyConflictsError';
}

interface PastCommand {
  readonly events: readonly string[];
  readonly revision: number;
  readonly position: bigint;
}

/** An aggregate as last seen: its state and all that the next append needs. */
interface Loaded {
  readonly state: unknown;
  readonly revision: number;
  readonly position: bigint;
  readonly hash: string;
  readonly commands: Map<string, PastCommand>;
  /** False after an append: had another process sent the same command, the store kept its events, with other hashes. */
  readonly isAsStored: boolean;
}

function untouched(decider: AnyDecider): Loaded {
  const nothing = { state: decider.initialState as unknown, revision: -1, position: 0n, hash: CHAIN_START };
  return { ...nothing, commands: new Map(), isAsStored: true };
}

/**
 * The one way from a command to the log, for every transport: load (cached by revision), decide, append with the expected
 * revision, on a conflict load and decide again. Reads only the command's own stream.
 */
export class CommandPipeline {
  private readonly cache: StateCache<Loaded>;
  private readonly queues = new Map<string, Promise<unknown>>();
  /** Lower bound of the log's end: an append answered at or below it was recognised by the store as a repetition. */
  private seen: bigint | undefined;

  constructor(
    private readonly store: EventStore,
    private readonly catalog: EventCatalog,
    private readonly options: { cachedStreams: number; maxConflicts: number } = {
      cachedStreams: 50_000,
      maxConflicts: 8,
    },
  ) {
    this.cache = new StateCache(options.cachedStreams);
  }

  /**
   * @param facts gives what is to be added to the command's data; asked when it is the command's turn, so that commands for one stream
   *   stay in their order
   * @throws DomainError, RevisionMismatchError, TooManyConflictsError, EventStoreUnavailableError
   */
  handle(
    decider: AnyDecider,
    command: Command,
    context: CommandContext,
    facts?: () => Promise<object>,
  ): Promise<CommandResult> {
    const stream = streamName(context.tenant, decider.category, decider.id(command));
    return this.inOrder(stream, async () => {
      const known = facts ? { ...command, data: { ...command.data, ...(await facts()) } } : command;
      return this.decideAndAppend(stream, decider, known, context);
    });
  }

  /**
   * An aggregate's state as its stream has it now, for facts that travel with another aggregate's command. Always reads.
   * @throws EventStoreUnavailableError
   */
  async stateOf<S, C extends Command, E extends DomainEvent>(
    decider: Decider<S, C, E>,
    tenant: string,
    id: string,
  ): Promise<S> {
    return (await this.load(streamName(tenant, decider.category, id), decider)).state as S;
  }

  /** Keeps nothing of the stream in memory: it is read anew for the next command. */
  forget(stream: string): void {
    this.cache.delete(stream);
  }

  /** Commands of one stream in this process wait for each other instead of conflicting. */
  private async inOrder<T>(stream: string, work: () => Promise<T>): Promise<T> {
    const before = this.queues.get(stream);
    const mine = before ? before.then(work, work) : work();
    this.queues.set(stream, mine);
    try {
      return await mine;
    } finally {
      if (this.queues.get(stream) === mine) this.queues.delete(stream);
    }
  }

  private async decideAndAppend(
    stream: string,
    decider: AnyDecider,
    command: Command,
    context: CommandContext,
  ): Promise<CommandResult> {
    if (this.seen === undefined) this.advance((await this.store.head()) ?? 0n);
    const mayGuess = Boolean(decider.opens?.includes(command.type)) && context.expectedRevision === undefined;
    let mustLoad = !mayGuess;
    for (let conflicts = 0; conflicts < this.options.maxConflicts;) {
      const cached = this.cache.get(stream);
      const fromStore = !cached && mustLoad;
      const loaded = cached ?? (mustLoad ? await this.load(stream, decider) : untouched(decider));

      const past = loaded.commands.get(context.commandId);
      if (past) return { stream, ...past, outcome: 'already-known' };

      const decision = decideOrRefuse(decider, command, loaded.state);
      const mismatch = context.expectedRevision !== undefined && context.expectedRevision !== loaded.revision;
      if (mismatch || 'refusal' in decision || decision.events.length === 0) {
        if (!fromStore) {
          // Neither a guess nor a cached state may say no on its own: another process may have moved the stream.
          this.cache.delete(stream);
          mustLoad = true;
          continue;
        }
        if (mismatch) throw new RevisionMismatchError(stream, context.expectedRevision, loaded.revision);
        if ('refusal' in decision) throw decision.refusal;
        return { stream, revision: loaded.revision, position: loaded.position, events: [], outcome: 'already-known' };
      }

      if (!loaded.isAsStored && (await this.store.lastHash(stream)) !== loaded.hash) {
        this.cache.delete(stream);
        mustLoad = true;
        continue;
      }
      const prepared = await this.prepare(decision.events, loaded, command, context);
      const before = this.seen!;
      let appended: AppendResult;
      try {
        const expected: ExpectedRevision = loaded.revision < 0 ? 'no-stream' : loaded.revision;
        appended = await this.store.append(stream, prepared, expected);
      } catch (error) {
        this.cache.delete(stream);
        if (!(error instanceof WrongExpectedRevisionError)) throw error;
        mustLoad = true;
        conflicts++;
        continue;
      }
      this.advance(appended.position);
      const done: PastCommand = { events: prepared.map(({ type }) => type), ...appended };
      if (appended.position <= before) {
        this.cache.delete(stream);
        return { stream, ...done, outcome: 'already-known' };
      }
      this.cache.set(stream, {
        ...appended,
        state: decision.events.reduce((state, event) => decider.evolve(state, event) as unknown, loaded.state),
        hash: prepared[prepared.length - 1]!.metadata.hash,
        commands: loaded.commands.set(context.commandId, done),
        isAsStored: false,
      });
      return { stream, ...done, outcome: 'accepted' };
    }
    throw new TooManyConflictsError(
      `${stream}: other writers won ${this.options.maxConflicts} times; send the command again`,
    );
  }

  private async load(stream: string, decider: AnyDecider): Promise<Loaded> {
    let loaded = untouched(decider);
    for await (const event of this.store.readStream(stream)) {
      const { revision, position } = event;
      const { commandId, hash } = event.metadata;
      const earlier = loaded.commands.get(commandId)?.events ?? [];
      const commands = loaded.commands.set(commandId, { events: [...earlier, event.type], revision, position });
      loaded = { state: decider.evolve(loaded.state, event), revision, position, hash, commands, isAsStored: true };
    }
    if (loaded.revision >= 0) this.cache.set(stream, loaded);
    this.advance(loaded.position);
    return loaded;
  }

  private async prepare(
    events: readonly DomainEvent[],
    loaded: Loaded,
    command: Command,
    context: CommandContext,
  ): Promise<readonly NewEvent[]> {
    let previous = loaded.hash;
    const prepared: NewEvent[] = [];
    for (const [index, { type, data: clear, at }] of events.entries()) {
      const id = eventId(context.commandId, index);
      const isPersonal = hasPersonal(clear, this.catalog.personal(type));
      const data = isPersonal ? await this.store.seal(context.tenant, { id, type, data: clear }) : clear;
      const metadata = {
        schema: this.catalog.current(type),
        tenant: context.tenant,
        actor: context.actor,
        commandId: context.commandId,
        $correlationId: context.correlationId,
        $causationId: context.causationId,
        occurredAt: at ?? command.at,
      };
      previous = chainHash(previous, { id, type, data, metadata });
      prepared.push({ id, type, data, metadata: { ...metadata, hash: previous } });
    }
    return prepared;
  }

  private advance(position: bigint): void {
    if (this.seen === undefined || position > this.seen) this.seen = position;
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
