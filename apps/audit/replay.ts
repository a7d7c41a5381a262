import { createHash, type Hash } from 'node:crypto';
import { canonicalJson, type Document, type LogReader, type RecordedEvent } from '../../packages/eventsourcing';
import {
  type CourseOutcomes,
  CourseOutcomesTally,
  type TeamCompliance,
  expectedTeamCompliance,
} from '../../projections/expected-reports';
import { type AttemptDocument, attempts } from '../../projections/mongo/attempts';
import { isAssigned } from '../../projections/mongo/enrollment-status';
import { type EnrollmentDocument, enrollments } from '../../projections/mongo/enrollments';
import { people, type PersonDocument } from '../../projections/mongo/people';
import { EventTimeline, type TimelineEntry } from './event-timeline';
import type { OnPoison } from './folded-state';
import { type PoisonEvents, PoisonTally } from './poison';
import { foldInPasses, type Includes, type Pass } from './replay-passes';
import { membersOf, type Scope, type Selection, selectionOf } from './scope';
import { type StateDifferences, StateDifferencesTally } from './state-difference';

/** From where the history is looked at: as it was in the world, and as it was known. */
export interface Standpoint {
  /** ISO 8601: leaves out what happened later in the world. */
  readonly effective?: string | undefined;
  /** Leaves out what was recorded later. */
  readonly known?: { readonly position: bigint } | { readonly moment: string } | undefined;
}

export interface ReplayOptions extends Standpoint {
  /** The newest so many events are listed. */
  readonly timeline: number;
  /** Sees every event of the scope once, in the order of the log. */
  readonly onEvent?: ((event: RecordedEvent) => Promise<void> | void) | undefined;
  /** Sees every pass. */
  readonly onPass?: ((pass: Pass, selection: Selection) => Promise<void>) | undefined;
  /** Gathers what cannot be applied; one of its own when left out. */
  readonly poison?: PoisonTally | undefined;
  /** Documents in memory at once. */
  readonly atOnce?: number | undefined;
}

export interface Replayed {
  /** Events that were folded. */
  readonly events: number;
  /** Position of the last of them. */
  readonly position: bigint;
  readonly recordedAt: string | null;
  /** Position up to which the log was read. */
  readonly upTo: bigint;
  /** Position of the last event of the scope in the log, whether it counted or not. */
  readonly lastRead: bigint;
  readonly selection: Selection;
  /** SHA-256, hex, over every document that the replay led to; equal for equal history. */
  readonly digest: string;
  /** Documents by read model. */
  readonly documents: Readonly<Record<string, number>>;
  /** The documents themselves, unless it is of a tenant or a course. */
  readonly state: Readonly<Record<string, readonly Document[]>> | undefined;
  readonly members: readonly string[] | undefined;
  readonly courseOutcomes: readonly CourseOutcomes[];
  readonly teamCompliance: readonly TeamCompliance[];
  readonly timeline: readonly TimelineEntry[];
  readonly timelineLeftOut: number;
  /** What could not be applied. */
  readonly parked: PoisonEvents;
  /** How it stands now instead; undefined when it was looked at from now. */
  readonly differences: StateDifferences | undefined;
}

/**
 * The log folded anew with the read models' own pure functions. Reads only the event store.
 * @param on ISO 8601 date: what is open and was due before it is overdue
 */
export async function replay(
  store: LogReader,
  scope: Scope,
  on: string,
  { timeline: longest, onEvent, onPass, poison = new PoisonTally(), atOnce, ...standpoint }: ReplayOptions,
): Promise<Replayed> {
  const upTo = (await store.head()) ?? 0n;
  const includes = includesOf(standpoint);
  const onPoison: OnPoison = (...poisoned) => poison.add(...poisoned);
  const members = scope.team ? await membersOf(store, scope, upTo, includes ?? (() => true), onPoison) : undefined;
  const selection = selectionOf(store, scope, members);
  const timeline = new EventTimeline(longest);
  const counted = { events: 0, position: 0n, recordedAt: null as string | null };
  let lastRead = 0n;
  const onFirst = async (events: readonly RecordedEvent[]): Promise<void> => {
    for (const event of events) {
      lastRead = event.position;
      await onEvent?.(event);
      if (!selection.counts(event) || (includes && !includes(event))) continue;
      counted.events++;
      counted.position = event.position;
      counted.recordedAt = event.recordedAt;
      timeline.add(event);
    }
  };
  const state = new StateTally(selection, isSmall(scope));
  const outcomes = new CourseOutcomesTally();
  const teams = new TeamRecords();
  const differences = includes && new StateDifferencesTally();
  for await (const pass of foldInPasses(selection, upTo, includes, onFirst, onPoison, atOnce)) {
    state.add(pass);
    differences?.add(pass);
    for (const person of pass.then.documentsOf<PersonDocument>(people).values()) teams.addPerson(person);
    for (const enrollment of pass.then.documentsOf<EnrollmentDocument>(enrollments).values()) {
      outcomes.addEnrollment(enrollment);
      teams.addEnrollment(enrollment);
    }
    for (const attempt of pass.then.documentsOf<AttemptDocument>(attempts).values()) outcomes.addAttempt(attempt);
    await onPass?.(pass, selection);
  }
  return {
    ...counted,
    upTo,
    lastRead,
    selection,
    ...state.result(),
    members,
    courseOutcomes: outcomes.rows(),
    teamCompliance: expectedTeamCompliance(teams.people, teams.enrollments, { on }),
    timeline: timeline.list(),
    timelineLeftOut: timeline.leftOut,
    parked: poison.result,
    differences: differences?.result,
  };
}

function isSmall({ person, team, enrollment, attempt }: Scope): boolean {
  return Boolean(person ?? team ?? enrollment ?? attempt);
}

function includesOf({ effective, known }: Standpoint): Includes {
  if (effective === undefined && known === undefined) return undefined;
  return ({ position, recordedAt, metadata }) => {
    if (effective !== undefined && metadata.occurredAt > effective) return false;
    if (known === undefined) return true;
    return 'position' in known ? position <= known.position : recordedAt <= known.moment;
  };
}

/** What the report about teams needs of people and of what they are assigned, and no more: passes bring them apart from each other. */
class TeamRecords {
  readonly people = new Map<string, PersonDocument>();
  readonly enrollments: EnrollmentDocument[] = [];

  addPerson({ _id, manager, status, employeeNumber, orgUnit }: PersonDocument): void {
    this.people.set(_id, { _id, manager, status, employeeNumber, orgUnit } as PersonDocument);
  }

  addEnrollment({ person, course, status, dueOn, certificate }: EnrollmentDocument): void {
    if (isAssigned(status)) this.enrollments.push({ person, course, status, dueOn, certificate } as EnrollmentDocument);
  }
}

/** Counts and digests the documents of each read model as the passes bring them, in the order of ids. */
class StateTally {
  private readonly hashes: readonly Hash[];
  private readonly counts: Record<string, number>;
  private readonly kept: Record<string, Document[]>;

  constructor(
    private readonly selection: Selection,
    private readonly keep: boolean,
  ) {
    this.hashes = selection.projections.map(() => createHash('sha256'));
    this.counts = Object.fromEntries(selection.projections.map(({ name }) => [name, 0]));
    this.kept = Object.fromEntries(selection.projections.map(({ name }) => [name, []]));
  }

  add({ then }: Pass): void {
    this.selection.projections.forEach((projection, at) => {
      const documents = then.documentsOf(projection);
      this.counts[projection.name]! += documents.size;
      for (const id of [...documents.keys()].sort()) {
        const document = documents.get(id)!;
        this.hashes[at]!.update(canonicalJson(document));
        if (this.keep) this.kept[projection.name]!.push(document);
      }
    });
  }

  result(): Pick<Replayed, 'digest' | 'documents' | 'state'> {
    const whole = createHash('sha256');
    this.hashes.forEach((hash, at) => whole.update(this.selection.projections[at]!.name).update(hash.digest()));
    const filled = Object.entries(this.kept).filter(([, documents]) => documents.length > 0);
    return {
      digest: whole.digest('hex'),
      documents: this.counts,
      state: this.keep ? Object.fromEntries(filled) : undefined,
    };
  }
}
