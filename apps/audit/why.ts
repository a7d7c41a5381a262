import type { DomainEvent, LogReader, RecordedEvent } from '../../packages/eventsourcing';

/** One event of an explanation. */
export interface Step {
  /** How many events lie between it and what set everything off. */
  readonly depth: number;
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly position: string;
  /** ISO 8601; when it happened in the world, and when the store recorded it. */
  readonly occurredAt: string;
  readonly recordedAt: string;
  readonly actor: string;
  readonly via: string;
  /** Id of the event, command or CloudEvent that led to it. */
  readonly causationId: string;
  readonly data: object;
}

/** A version of an assignment rule that had a part in it, and who published it. */
export interface RuleInForce {
  readonly rule: string;
  readonly version: number;
  readonly publishedBy: string;
  readonly recordedAt: string;
  readonly data: object;
}

export interface Explanation {
  readonly subject: { readonly id: string; readonly stream: string; readonly event: string };
  /** What set everything off: a CloudEvent of the HRIS, or a command. */
  readonly origin: { readonly id: string; readonly actor: string; readonly via: string };
  readonly rules: readonly RuleInForce[];
  /** From the origin on: everything that it led to for the same person, each under what caused it. */
  readonly steps: readonly Step[];
}

/** Aggregates that can be asked about by their id alone; where two have the same, the one that stands first. */
export const EXPLAINED = ['enrollment', 'notification', 'attempt', 'person', 'course', 'rule', 'assessment'] as const;

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Why something is as it is, from the log alone: the chain of causes from the origin to the event, and everything else that
 * the origin led to for the same person. Reads the tenant's part of the log once.
 * @param id of an enrollment, notification, attempt, person, course, rule, assessment or event
 * @returns undefined when there is none
 */
export async function explain(store: LogReader, tenant: string, id: string): Promise<Explanation | undefined> {
  const asked = (await newestOf(store, tenant, id)) ?? (await eventOf(store, tenant, id));
  if (!asked) return undefined;
  const person = personOf(asked);
  const related: RecordedEvent[] = [];
  for await (const event of eventsOf(store, tenant)) {
    if (event.metadata.$correlationId !== asked.metadata.$correlationId) continue;
    if (personOf(event) === undefined || concerns(event, person)) related.push(event);
  }
  const [first] = related;
  const { $correlationId, actor } = first!.metadata;
  return {
    subject: { id, stream: asked.stream, event: asked.id },
    origin: { id: $correlationId, actor: actor.sub, via: actor.via },
    rules: await rulesOf(store, tenant, related),
    steps: inOrderOfCauses(related),
  };
}

/** The event that gave an aggregate the standing that it has: for an enrollment the last that began it. */
async function newestOf(store: LogReader, tenant: string, id: string): Promise<RecordedEvent | undefined> {
  for (const category of EXPLAINED) {
    let newest: RecordedEvent | undefined;
    for await (const event of store.readStream(`${tenant}.${category}-${id}`)) {
      if (category !== 'enrollment' || event.type === 'LearnerEnrolled' || !newest) newest = event;
    }
    if (newest) return newest;
  }
  return undefined;
}

async function eventOf(store: LogReader, tenant: string, id: string): Promise<RecordedEvent | undefined> {
  if (!UUID.test(id)) return undefined;
  for await (const event of eventsOf(store, tenant)) if (event.id === id) return event;
  return undefined;
}

async function* eventsOf(store: LogReader, tenant: string): AsyncGenerator<RecordedEvent> {
  for await (const batch of store.subscribeToAll({ streamPrefix: `${tenant}.` })) {
    yield* batch.events;
    if (batch.caughtUp) return;
  }
}

function personOf({ data }: DomainEvent): string | undefined {
  return (data as { person?: string }).person;
}

function concerns({ data }: DomainEvent, person: string | undefined): boolean {
  const { person: one, people } = data as { person?: string; people?: readonly string[] };
  return person !== undefined && (one === person || Boolean(people?.includes(person)));
}

async function rulesOf(store: LogReader, tenant: string, events: readonly RecordedEvent[]): Promise<RuleInForce[]> {
  const named = new Map<string, { rule: string; ruleVersion: number }>();
  for (const { data } of events) {
    const { reason } = data as { reason?: { kind?: string; rule: string; ruleVersion: number } };
    if (reason?.kind === 'rule') named.set(`${reason.rule} ${reason.ruleVersion}`, reason);
  }
  const rules: RuleInForce[] = [];
  for (const { rule, ruleVersion } of named.values()) {
    for await (const { data, metadata, recordedAt } of store.readStream(`${tenant}.rule-${rule}`)) {
      const { version } = data as { version: number };
      if (version === ruleVersion) rules.push({ rule, version, publishedBy: metadata.actor.sub, recordedAt, data });
    }
  }
  return rules;
}

/** Each event under the one that caused it, causes in the order of the log. */
function inOrderOfCauses(events: readonly RecordedEvent[]): Step[] {
  const ids = new Set(events.map(({ id }) => id));
  const steps: Step[] = [];
  const walk = (cause: string | undefined, depth: number): void => {
    for (const event of events) {
      const { $causationId } = event.metadata;
      if (cause === undefined ? ids.has($causationId) : $causationId !== cause) continue;
      steps.push(stepOf(event, depth));
      walk(event.id, depth + 1);
    }
  };
  walk(undefined, 0);
  return steps;
}

function stepOf({ id, type, stream, position, data, metadata, recordedAt }: RecordedEvent, depth: number): Step {
  const { occurredAt, actor, $causationId: causationId } = metadata;
  const { sub, via } = actor;
  return {
    depth,
    id,
    type,
    stream,
    position: position.toString(),
    occurredAt,
    recordedAt,
    actor: sub,
    via,
    causationId,
    data,
  };
}
