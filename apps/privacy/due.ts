import {
  type Dated,
  dayOf,
  type LogReader,
  parseStreamName,
  readLog,
  type Recorded,
  type RecordedEvent,
  withDated,
} from '../../packages/eventsourcing';
import { attemptDecider } from '../../packages/assessment';
import { enrollmentDecider, type EnrollmentEvent, notificationDecider } from '../../packages/enrollment';
import { personDecider, type PersonEvent, RANK } from '../../packages/people';
import {
  type CategoryRecord,
  type Erasure,
  type Privacy,
  privacyDecider,
  type PrivacyEvent,
  type Retained,
  retained,
  type RetentionCategory,
  type RetentionGround,
  type RetentionRule,
} from '../../packages/privacy';

/** Somebody whose name no retention rule needs any more. */
export interface DueItem {
  readonly person: string;
  /** Since when, ISO 8601 date. */
  readonly dueOn: string;
  /** Why: each category that has events about them, with its rule. */
  readonly grounds: readonly RetentionGround[];
  /** What stops it: legal holds in force, by matter, with their reasons. */
  readonly holds: Privacy['holds'];
  /** The newest erasure that was asked for, whatever became of it. */
  readonly erasure: Erasure | null;
}

/** What the retention rules say of a tenant's people, from the log alone. */
export interface Due {
  readonly asOf: string;
  /** Position that the log was read up to. */
  readonly position: string;
  readonly rules: readonly RetentionRule[];
  /** In the order of days. */
  readonly items: readonly DueItem[];
  /** Whose erasure was asked for because they were due, and who are not due any more. */
  readonly lapsed: readonly string[];
  /** How many are not due, by what keeps them. */
  readonly kept: Readonly<Record<string, number>>;
}

/**
 * Everybody who is due, as the log tells it now.
 * @param asOf ISO 8601 date; may lie ahead
 */
export async function dueOf(
  log: LogReader,
  tenant: string,
  rules: readonly RetentionRule[],
  asOf: string,
): Promise<Due> {
  const upTo = (await log.head()) ?? 0n;
  const people = new Map<string, Subject>();
  for await (const events of readLog(log, `${tenant}.`, upTo)) {
    for (const event of events) {
      const { person } = event.data as { person?: string };
      const category = parseStreamName(event.stream)?.category;
      if (person === undefined || category === undefined) continue;
      const subject = people.get(person) ?? new Subject();
      people.set(person, subject);
      subject.apply(event, category);
    }
  }
  const items: DueItem[] = [];
  const lapsed: string[] = [];
  const kept: Record<string, number> = {};
  for (const [person, subject] of people) {
    if (!subject.hasName) continue;
    const { holds, erasure } = subject.privacy;
    const found = subject.retained(rules);
    if ('dueOn' in found && found.dueOn <= asOf) {
      items.push({ person, ...found, holds, erasure });
      continue;
    }
    const keptBy = 'dueOn' in found ? 'not due yet' : found.keptBy;
    kept[keptBy] = (kept[keptBy] ?? 0) + 1;
    if (erasure?.status === 'requested' && erasure.retention) lapsed.push(person);
  }
  items.sort((a, b) => (a.dueOn + a.person < b.dueOn + b.person ? -1 : 1));
  return { asOf, position: upTo.toString(), rules, items, lapsed, kept };
}

const CATEGORIES: Readonly<Record<string, RetentionCategory>> = {
  [personDecider.category]: 'person',
  [enrollmentDecider.category]: 'enrollment',
  [attemptDecider.category]: 'attempt',
  [notificationDecider.category]: 'notification',
};

/** Stand in the streams of enrollments, and are kept by a rule of their own. */
const CERTIFICATION: ReadonlySet<string> = new Set<EnrollmentEvent['type']>([
  'LearnerCertified',
  'CertificationRenewed',
  'CertificationExpired',
]);

/** One person, as far as it matters how long their name is needed. */
class Subject {
  privacy = privacyDecider.initialState;
  private isKnown = false;
  private isErased = false;
  private employed: readonly Dated<boolean>[] = [];
  private readonly categories = new Map<RetentionCategory, CategoryRecord>();

  apply(event: RecordedEvent, streamCategory: string): void {
    if (streamCategory === privacyDecider.category) {
      this.privacy = privacyDecider.evolve(this.privacy, event as Recorded<PrivacyEvent>);
      return;
    }
    const category = CERTIFICATION.has(event.type) ? 'certification' : CATEGORIES[streamCategory];
    if (category === undefined) return;
    const { events, lastOn } = this.categories.get(category) ?? { events: 0, lastOn: '' };
    const on = dayOf(event.metadata.occurredAt);
    this.categories.set(category, { events: events + 1, lastOn: on > lastOn ? on : lastOn });
    if (category === 'person') this.applyOfPerson(event as Recorded<PersonEvent>);
  }

  get hasName(): boolean {
    return this.isKnown && !this.isErased;
  }

  /** Whoever is hired again has not left, also if that is known only of a day to come. */
  retained(rules: readonly RetentionRule[]): Retained {
    const last = this.employed.at(-1);
    return retained({ leftOn: last?.value === false ? last.on : null, categories: this.categories }, rules);
  }

  private applyOfPerson({ type, data }: Recorded<PersonEvent>): void {
    switch (type) {
      case 'PersonHired':
      case 'PersonRehired':
      case 'PersonTerminated': {
        this.isKnown = true;
        this.employed = withDated(this.employed, {
          on: data.effectiveOn,
          rank: RANK[type],
          value: type !== 'PersonTerminated',
        });
        return;
      }
      case 'PersonErased':
        this.isErased = true;
        return;
      default:
    }
  }
}
