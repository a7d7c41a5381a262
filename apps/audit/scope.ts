import { auditLogDecider } from '../../packages/audit';
import {
  type AnyProjection,
  type Document,
  type LogReader,
  parseStreamName,
  readLog,
  type RecordedEvent,
} from '../../packages/eventsourcing';
import { mongoProjections } from '../../projections';
import { people, type PersonDocument } from '../../projections/mongo/people';
import { FoldedState, type OnPoison } from './folded-state';
import type { ScopeKind } from './scope-kinds';

/** What a replay is of: one thing of a tenant, a whole tenant, or, without a tenant, everything. */
export type Scope = {
  readonly tenant?: string | undefined;
  /** The audit's own log instead of the history. */
  readonly auditLog?: true | undefined;
} & { readonly [Kind in ScopeKind]?: string | undefined };

/** Which events, documents and rows a scope has. */
export interface Selection {
  /** Up to a position, in the order of the log, in batches. */
  readonly read: (upTo: bigint) => AsyncIterable<readonly RecordedEvent[]>;
  /** Leaves out what is read but is no part of the history. */
  readonly counts: (event: RecordedEvent) => boolean;
  readonly projections: readonly AnyProjection[];
  readonly keeps: (document: Document) => boolean;
  /** The same documents, as a filter of MongoDB. */
  readonly filter: Readonly<Record<string, unknown>>;
  /** The same rows: columns of the warehouse with the value that they have. */
  readonly columns: Readonly<Record<string, string>>;
}

/** The streams of the tenant that are no part of its history of learning. */
const APART = new Set([auditLogDecider.category]);

function isHistory({ stream }: RecordedEvent): boolean {
  return !APART.has(parseStreamName(stream)?.category ?? '');
}

/** What of an event says whether it belongs to a scope; the same in each version of the event, and never encrypted. */
type Belonging = Pick<RecordedEvent, 'stream'> & { readonly data: unknown };

/** Which events of the tenant belong to a scope, the tenant's streams that are no history included. */
export function belongsTo(
  { tenant, auditLog, person, team, course, enrollment, attempt }: Scope,
  members: readonly string[] = [],
): (event: Belonging) => boolean {
  if (auditLog) return ({ stream }) => parseStreamName(stream)?.category === auditLogDecider.category;
  if (enrollment) return ({ stream }) => stream === `${tenant}.enrollment-${enrollment}`;
  if (attempt) return ({ stream }) => stream === `${tenant}.attempt-${attempt}`;
  if (course) return ({ data }) => (data as { course?: string } | null)?.course === course;
  if (person || team) {
    const wanted = new Set(person ? [person] : members);
    return (event) => concerns(event, wanted);
  }
  return () => true;
}

/**
 * @param members of the team that the scope names
 * @param upTo position that the whole log has
 */
export function selectionOf(store: LogReader, scope: Scope, members: readonly string[] = []): Selection {
  const { tenant, auditLog, person, team, course, enrollment, attempt } = scope;
  if (auditLog && tenant) return auditLogOf(store, tenant);
  const everything: Selection = {
    read: (upTo) => readLog(store, tenant && `${tenant}.`, upTo),
    counts: isHistory,
    projections: mongoProjections,
    keeps: () => true,
    filter: tenant ? { tenant } : {},
    columns: tenant ? { tenant } : {},
  };
  const { filter, columns } = everything;
  if (enrollment) {
    return ofStream(`${tenant}.enrollment-${enrollment}`, enrollment, { ...columns, enrollment });
  }
  if (attempt) return ofStream(`${tenant}.attempt-${attempt}`, attempt, { ...columns, attempt });
  if (person || team) {
    const wanted = new Set(person ? [person] : members);
    return {
      ...everything,
      read: (upTo) => only(everything.read(upTo), belongsTo(scope, members)),
      keeps: ({ _id, ...document }) => wanted.has(_id) || wanted.has((document as { person?: string }).person ?? ''),
      filter: { ...filter, $or: [{ _id: { $in: [...wanted] } }, { person: { $in: [...wanted] } }] },
      columns: person ? { ...columns, person } : columns,
    };
  }
  if (course) {
    return {
      ...everything,
      read: (upTo) => only(everything.read(upTo), belongsTo(scope)),
      // A course's events tell of a person only in part: what is kept per person is left out.
      projections: mongoProjections.filter(({ name }) => PER_COURSE.has(name)),
      keeps: (document) => (document as { course?: string }).course === course,
      filter: { ...filter, course },
      columns: { ...columns, course },
    };
  }
  return everything;

  function ofStream(stream: string, id: string, columns: Record<string, string>): Selection {
    return {
      ...everything,
      read: (upTo) => ofOneStream(store, stream, upTo),
      keeps: ({ _id }) => _id === id,
      filter: { ...filter, _id: id },
      columns,
    };
  }
}

/** Who looked at what in the audit of a tenant. */
function auditLogOf(store: LogReader, tenant: string): Selection {
  return {
    read: (upTo) => readLog(store, `${tenant}.${auditLogDecider.category}-`, upTo),
    counts: () => true,
    projections: [],
    keeps: () => false,
    filter: {},
    columns: {},
  };
}

const PER_COURSE = new Set(['enrollments', 'deadlines', 'notifications', 'attempts']);

/** The active people who report to a manager, as the events say that `includes` lets through. */
export async function membersOf(
  store: LogReader,
  { tenant, team }: Scope,
  upTo: bigint,
  includes: (event: RecordedEvent) => boolean,
  onPoison: OnPoison,
): Promise<string[]> {
  const state = new FoldedState([people], onPoison);
  for (const category of ['person', 'reportinglines']) {
    for await (const events of readLog(store, `${tenant}.${category}-`, upTo)) {
      for (const event of events) if (includes(event)) state.apply(event);
    }
  }
  return [...state.documentsOf<PersonDocument>(people).values()]
    .filter(({ manager, status }) => manager === team && status === 'active')
    .map(({ _id }) => _id)
    .sort();
}

function concerns({ data }: Belonging, wanted: ReadonlySet<string>): boolean {
  const { person, people } = (data ?? {}) as { person?: string; people?: readonly string[] };
  return (person !== undefined && wanted.has(person)) || Boolean(people?.some((each) => wanted.has(each)));
}

async function* only(
  batches: AsyncIterable<readonly RecordedEvent[]>,
  isWanted: (event: RecordedEvent) => boolean,
): AsyncGenerator<readonly RecordedEvent[]> {
  for await (const events of batches) yield events.filter(isWanted);
}

async function* ofOneStream(store: LogReader, stream: string, upTo: bigint): AsyncGenerator<readonly RecordedEvent[]> {
  for await (const event of store.readStream(stream)) if (event.position <= upTo) yield [event];
}
