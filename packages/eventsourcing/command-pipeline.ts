import type { AnyDecider, Decider } from './decider';
import {
  type CommandContext,
  type CommandResult,
  type Decided,
  decideTogether,
  type Loaded,
  type Ready,
  resultOf,
  saysNo,
} from './deciding';
import {
  type AppendResult,
  type EventStore,
  EventStoreUnavailableError,
  type ExpectedRevision,
  WrongExpectedRevisionError,
} from './event-store';
import { CHAIN_START, chainHash } from './integrity';
import type { Command, DomainEvent, NewEvent } from './messages';
import { hasPersonal } from './personal-data';
import { StateCache } from './state-cache';
import { eventId, streamName } from './streams';
import { Turns } from './turns';
import type { EventCatalog } from './upcasting';

/** Other writers won every time. The caller may retry with the same command id. */
export class TooManyConflictsError extends Error {
  override name = 'TooManyConflictsError';
}

/** A command that waits for its stream. */
interface Waiting extends Ready {
  readonly facts: (() => Promise<object>) | undefined;
}

type Settled = PromiseSettledResult<CommandResult>;

/** Commands for one stream whose events share an append. */
const TOGETHER = 100;

function untouched(decider: AnyDecider): Loaded {
  const nothing = { state: decider.initialState as unknown, revision: -1, position: 0n, hash: CHAIN_START };
  return { ...nothing, commands: new Map(), isAsStored: true };
}

/**
 * The one way from a command to the log, for every transport: load (cached by revision), decide, append with the expected
 * revision, on a conflict load and decide again. Reads only the command's own stream. Commands that wait for the same stream are
 * decided one behind the other, and their events appended together.
 */
export class CommandPipeline {
  private readonly cache: StateCache<Loaded>;
  private readonly turns = new Turns<Waiting, CommandResult>(TOGETHER, (stream, waiting) => this.turn(stream, waiting));
  private readonly lookups = new Turns<AnyDecider, Loaded>(Infinity, (stream, deciders) =>
    this.lookUp(stream, deciders),
  );
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
    return this.turns.enqueue(stream, { decider, command, context, facts });
  }

  /**
   * An aggregate's state as its stream has it now, for facts that travel with another aggregate's command. Always reads, once for all
   * who ask before the read begins.
   * @throws EventStoreUnavailableError
   */
  async stateOf<S, C extends Command, E extends DomainEvent>(
    decider: Decider<S, C, E>,
    tenant: string,
    id: string,
  ): Promise<S> {
    return (await this.lookups.enqueue(streamName(tenant, decider.category, id), decider)).state as S;
  }

  /** Keeps nothing of the stream in memory: it is read anew for the next command. */
  forget(stream: string): void {
    this.cache.delete(stream);
  }

  /** Commands whose facts cannot be had fail alone. */
  private async turn(stream: string, waiting: readonly Waiting[]): Promise<readonly Settled[]> {
    if (this.seen === undefined) this.advance((await this.store.head()) ?? 0n);
    const withFacts = await Promise.allSettled(waiting.map(addFacts));
    const ready = withFacts.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const settled = [...(await this.together(stream, ready))];
    return withFacts.map((each) => (each.status === 'fulfilled' ? settled.shift()! : each));
  }

  /** What fails together, since it is too large for one append say, is tried one by one. */
  private async together(stream: string, commands: readonly Ready[]): Promise<readonly Settled[]> {
    if (commands.length === 0) return [];
    try {
      return await this.decideAndAppend(stream, commands);
    } catch (error) {
      const isForNow = error instanceof EventStoreUnavailableError || error instanceof TooManyConflictsError;
      if (commands.length === 1 || isForNow) return commands.map(() => ({ status: 'rejected', reason: error }));
    }
    const settled: Settled[] = [];
    for (const each of commands) settled.push(...(await this.together(stream, [each])));
    return settled;
  }

  private async decideAndAppend(stream: string, commands: readonly Ready[]): Promise<readonly Settled[]> {
    const [{ decider, command, context }] = commands as readonly [Ready];
    const mayGuess = Boolean(decider.opens?.includes(command.type)) && context.expectedRevision === undefined;
    let mustLoad = !mayGuess;
    for (let conflicts = 0; conflicts < this.options.maxConflicts;) {
      const cached = this.cache.get(stream);
      const loaded = cached ?? (mustLoad ? await this.load(stream, decider) : untouched(decider));
      const isFromStore = !cached && mustLoad;
      const decided = await decideTogether(stream, loaded, commands, (...known) => this.prepare(...known));
      const isSafe = isFromStore || (loaded.isAsStored && !decided.verdicts.some(saysNo));
      if (!isSafe && ((await this.store.lastHash(stream)) ?? CHAIN_START) !== loaded.hash) {
        this.cache.delete(stream);
        mustLoad = true;
        continue;
      }

      const { verdicts, events } = decided;
      if (events.length === 0) return verdicts.map((each) => resultOf(stream, each, loaded.position, 'already-known'));
      const before = this.seen!;
      let appended: AppendResult;
      try {
        const expected: ExpectedRevision = loaded.revision < 0 ? 'no-stream' : loaded.revision;
        appended = await this.store.append(stream, events, expected);
      } catch (error) {
        this.cache.delete(stream);
        if (!(error instanceof WrongExpectedRevisionError)) throw error;
        mustLoad = true;
        conflicts++;
        continue;
      }
      this.advance(appended.position);
      const isNew = appended.position > before;
      if (isNew) this.remember(stream, loaded, decided, appended);
      else this.cache.delete(stream);
      return verdicts.map((each) => resultOf(stream, each, appended.position, isNew ? 'accepted' : 'already-known'));
    }
    throw new TooManyConflictsError(
      `${stream}: other writers won ${this.options.maxConflicts} times; send the command again`,
    );
  }

  private remember(stream: string, { commands }: Loaded, decided: Decided, { revision, position }: AppendResult): void {
    for (const verdict of decided.verdicts) {
      if (verdict.kind !== 'decided') continue;
      commands.set(verdict.commandId, { events: verdict.events, revision: verdict.revision, position });
    }
    const { state, hash } = decided;
    this.cache.set(stream, { state, revision, position, hash, commands, isAsStored: false });
  }

  private async lookUp(
    stream: string,
    deciders: readonly AnyDecider[],
  ): Promise<readonly PromiseFulfilledResult<Loaded>[]> {
    const value = await this.load(stream, deciders[0]!);
    return deciders.map(() => ({ status: 'fulfilled', value }));
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
    { command, context }: Ready,
    previous: string,
  ): Promise<readonly NewEvent[]> {
    let last = previous;
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
      last = chainHash(last, { id, type, data, metadata });
      prepared.push({ id, type, data, metadata: { ...metadata, hash: last } });
    }
    return prepared;
  }

  private advance(position: bigint): void {
    if (this.seen === undefined || position > this.seen) this.seen = position;
  }
}

async function addFacts({ decider, command, context, facts }: Waiting): Promise<Ready> {
  return { decider, command: facts ? { ...command, data: { ...command.data, ...(await facts()) } } : command, context };
}
