import {
  type Command,
  type CommandRequest,
  type Decider,
  type Document,
  type DomainEvent,
  DomainError,
  type EventMetadata,
  foldEvents,
  type Known,
  type LogReader,
  type Projection,
  ProjectionFold,
  type Recorded,
  type RecordedEvent,
  streamName,
  type SubscribeOptions,
  type Workflow,
} from '..';

/** given/when/then for a decider. `then*` runs the command; accepted commands are also run again and must yield nothing. */
export function given<S, C extends Command, E extends DomainEvent>(
  decider: Decider<S, C, E>,
  history: readonly E[] = [],
) {
  const state = foldEvents(decider, history);
  return {
    when(command: C) {
      return {
        then(...expected: E[]): void {
          const events = decider.decide(command, state);
          expect(events).toEqual(expected);
          expect(decider.decide(command, foldEvents(decider, [...history, ...events]))).toEqual([]);
        },
        thenNothing(): void {
          expect(decider.decide(command, state)).toEqual([]);
        },
        thenRefused(code: string): void {
          expect(refusalOf(() => decider.decide(command, state))).toBe(code);
        },
      };
    },
  };
}

/** The code that the work is refused with, undefined when it is not refused. */
function refusalOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
}

/** A log in memory, which counts how often all of it is read; in batches of a few. */
export function logOf(events: readonly RecordedEvent[], batch = 7): LogReader & { readonly reads: number } {
  const log = {
    reads: 0,
    head: () => Promise.resolve(events.at(-1)?.position),
    async *readStream(stream: string) {
      yield* await Promise.resolve(events.filter((event) => event.stream === stream));
    },
    async *subscribeToAll({ streamPrefix = '' }: SubscribeOptions) {
      log.reads++;
      for (let from = 0; from < events.length; from += batch) {
        const read = await Promise.resolve(events.slice(from, from + batch));
        const wanted = read.filter(({ stream }) => stream.startsWith(streamPrefix));
        yield { events: wanted, position: read.at(-1)!.position, caughtUp: from + batch >= events.length };
      }
    },
  };
  return log;
}

/** An event as the store would give it back. `position` must rise from call to call within one test. */
export function recorded<E extends DomainEvent>(
  event: E,
  at: {
    category: string;
    id: string;
    position: number;
    occurredAt?: string;
    tenant?: string;
    metadata?: Partial<EventMetadata>;
  },
): RecordedEvent<E> {
  const { tenant = 'acme', occurredAt = '2026-01-01T00:00:00.000Z', position } = at;
  const commandId = `command-${position}`;
  return {
    ...event,
    id: `event-${position}`,
    stream: streamName(tenant, at.category, at.id),
    revision: position,
    position: BigInt(position),
    recordedAt: occurredAt,
    metadata: {
      schema: 1,
      tenant,
      actor: { sub: 'test', roles: ['admin'], via: 'test' },
      commandId,
      $correlationId: commandId,
      $causationId: commandId,
      occurredAt,
      hash: '',
      ...at.metadata,
    },
  };
}

/** given/then for a projection: every event is delivered twice, and the documents must be as if it came once. */
export function givenProjection<D extends Document, E extends DomainEvent>(
  projection: Projection<D, E>,
  events: readonly RecordedEvent[],
) {
  const once = new ProjectionFold<D>(projection);
  const twice = new ProjectionFold<D>(projection);
  for (const event of events) {
    once.apply(event);
    twice.apply(event);
    twice.apply(event);
  }
  return {
    thenDocument(id: string, expected: D | undefined): void {
      expect(once.documents.get(id)).toEqual(expected);
      expect(twice.documents).toEqual(once.documents);
    },
  };
}

/** given/then for a workflow: folds the events in memory, and gives the commands that the last of them led to. */
export function givenWorkflow<Shared, Own, E extends DomainEvent>(
  workflow: Workflow<Shared, Own, E>,
  events: readonly RecordedEvent<E>[],
): { commands: readonly (CommandRequest & { reaction: string })[] } {
  let shared = workflow.initialShared;
  const known = new Map<string, Own>();
  let commands: (CommandRequest & { reaction: string })[] = [];
  for (const event of events as readonly Recorded<E>[]) {
    commands = [];
    const react = (before: Known<Shared, Own>, after: Known<Shared, Own>): void => {
      for (const { name: reaction, on, react } of workflow.reactions) {
        if (on.includes(event.type))
          commands.push(...react(event, before, after).map((each) => ({ ...each, reaction })));
      }
    };
    const key = workflow.key(event);
    if (key === undefined) {
      const after = workflow.evolveShared(shared, event);
      for (const own of known.values()) react({ shared, own }, { shared: after, own });
      shared = after;
    } else {
      const own = known.get(key) ?? workflow.initialOwn;
      const after = workflow.evolveOwn(own, event);
      react({ shared, own }, { shared, own: after });
      known.set(key, after);
    }
  }
  return { commands };
}
