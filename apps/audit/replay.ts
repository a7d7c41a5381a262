import { createHash } from 'node:crypto';
import { landingDigest } from '../../infra/clickhouse';
import { auditLogDecider } from '../../packages/audit';
import {
  canonicalJson,
  type Document,
  type EventStore,
  parseStreamName,
  ProjectionFold,
  type RecordedEvent,
} from '../../packages/eventsourcing';
import { expectedCourseOutcomes, expectedTeamCompliance } from '../../projections/expected-reports';
import { type AttemptDocument, attempts } from '../../projections/mongo/attempts';
import { type EnrollmentDocument, enrollments } from '../../projections/mongo/enrollments';
import { people, type PersonDocument } from '../../projections/mongo/people';
import { teamProgress } from '../../projections/mongo/team-progress';
import { transcripts } from '../../projections/mongo/transcripts';

/** What a replay is about: one person, one course, or the whole tenant. */
export interface Scope {
  readonly tenant: string;
  readonly person?: string | undefined;
  readonly course?: string | undefined;
}

/** The log folded anew with the read models' own pure functions. */
export class Replay {
  readonly people = new ProjectionFold<PersonDocument>(people);
  readonly enrollments = new ProjectionFold<EnrollmentDocument>(enrollments);
  readonly attempts = new ProjectionFold<AttemptDocument>(attempts);
  readonly folds;
  /** Digest of each of the tenant's events by position, as the warehouse should have landed it. */
  readonly landing = new Map<bigint, string>();
  /** Events that were folded. */
  events = 0;
  /** Position of the tenant's last event, reads of the audit included. */
  readUpTo = 0n;
  /** Position of the tenant's last event. */
  position = 0n;
  recordedAt: string | null = null;

  private constructor(
    private readonly scope: Scope,
    private readonly effective: string | undefined,
  ) {
    // A course's events tell of a person only in part: what is kept per person is left out then.
    const perPerson = scope.course
      ? []
      : [this.people, new ProjectionFold(transcripts), new ProjectionFold(teamProgress)];
    this.folds = [this.enrollments, this.attempts, ...perPerson] as const;
  }

  /**
   * Reads the tenant's part of the log to its end. Reads only the event store.
   * @param effective ISO 8601: leaves out what happened later in the world; everything when undefined
   */
  static async run(store: EventStore, scope: Scope, effective?: string): Promise<Replay> {
    const replay = new Replay(scope, effective);
    for await (const batch of store.subscribeToAll({ streamPrefix: `${scope.tenant}.` })) {
      for (const event of batch.events) replay.apply(event);
      if (batch.caughtUp) break;
    }
    return replay;
  }

  /** SHA-256, hex, over the canonical JSON of every document, in the order of projections and ids. */
  digest(): string {
    const hash = createHash('sha256');
    for (const { documents } of this.folds) {
      for (const id of [...documents.keys()].sort()) hash.update(canonicalJson(documents.get(id)));
    }
    return hash.digest('hex');
  }

  courseOutcomes() {
    return expectedCourseOutcomes(this.enrollments.documents.values(), this.attempts.documents.values());
  }

  teamCompliance(on: string) {
    return expectedTeamCompliance(this.people.documents, this.enrollments.documents.values(), { on });
  }

  private apply(event: RecordedEvent): void {
    this.readUpTo = event.position;
    this.landing.set(event.position, landingDigest(event));
    if (parseStreamName(event.stream)?.category === auditLogDecider.category) return;
    this.position = event.position;
    const { person, people, course } = event.data as { person?: string; people?: readonly string[]; course?: string };
    if (this.scope.person && person !== this.scope.person && !people?.includes(this.scope.person)) return;
    if (this.scope.course && course !== this.scope.course) return;
    if (this.effective && event.metadata.occurredAt > this.effective) return;
    for (const fold of this.folds) {
      fold.apply(event);
      if (this.scope.person)
        for (const other of people ?? []) if (other !== this.scope.person) fold.documents.delete(other);
    }
    this.events++;
    this.recordedAt = event.recordedAt;
  }
}

export type AnyFold = ProjectionFold<Document>;
