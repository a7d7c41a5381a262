import { derivedId, type EventBatch, type RecordedEvent } from '../../../packages/eventsourcing';
import { recorded as recordedAs } from '../../../packages/eventsourcing/testing';
import { numbers } from '../../seeded';

export const COURSES = ['first-aid', 'privacy', 'safety'];
const UNITS = ['d001', 'd002'];
/** Days of the history, from the first of January 2026. */
const DAYS = 120;

export const personOf = (index: number): string => derivedId('person', String(index));

/**
 * A history of people who are hired, move, leave and come back, of what they are assigned and of their attempts: in an order in which facts
 * arrive late, as the events of people and enrollments may, and with `step` positions from one event to the next.
 */
export function randomHistory(seed: number, size: { people: number; events: number; step: number }): RecordedEvent[] {
  const random = numbers(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const oneOf = <T>(values: readonly T[]): T => values[below(values.length)]!;
  const events: RecordedEvent[] = [];
  const happened = (category: string, type: string, id: string, day: number, data: object): void => {
    const position = (events.length + 1) * size.step;
    const occurredAt = new Date(Date.UTC(2026, 0, 1 + day, 12)).toISOString();
    const event = recordedAs({ type, data: data as Record<string, unknown> }, { category, id, position, occurredAt });
    events.push({ ...event, id: derivedId('event', String(position)) });
  };
  const on = (day: number): string => new Date(Date.UTC(2026, 0, 1 + day)).toISOString().slice(0, 10);
  const place = (person: number, day: number): void => {
    // Whoever came later never leads whoever came earlier, so that no circle closes.
    const manager = person === 0 || random() < 0.1 ? null : personOf(below(person));
    const people =
      random() < 0.2 ? [personOf(person), personOf(Math.min(person + 1, size.people - 1))] : [personOf(person)];
    const reason = { kind: 'hr' };
    happened('reportinglines', 'ReportingLineChanged', 'tree', day, { people, manager, reason, effectiveOn: on(day) });
  };
  for (let person = 0; person < size.people; person++) {
    const id = personOf(person);
    const hired = { person: id, employeeNumber: String(person), role: 'staff', orgUnit: oneOf(UNITS), manager: null };
    happened('person', 'PersonHired', id, below(20), { ...hired, effectiveOn: on(below(20)) });
    place(person, below(20));
  }
  const attempts: { attempt: string; person: string; course: string; day: number; next: string | null }[] = [];
  const begun = new Set<string>();
  while (events.length < size.events) {
    const [index, day, course] = [below(size.people), below(DAYS), oneOf(COURSES)];
    const person = personOf(index);
    const enrollment = { enrollment: derivedId(person, course), person, course };
    const write = (type: string, day: number, data: object): void =>
      happened('enrollment', type, enrollment.enrollment, day, { ...enrollment, ...data, effectiveOn: on(day) });
    const enroll = (type: string, data: object = {}): void => {
      // As everywhere, it begins with the enrollment.
      if (!begun.has(enrollment.enrollment)) {
        write('LearnerEnrolled', 0, {
          reason: { kind: 'manual' },
          dueOn: null,
          ruleDueOn: null,
          recertification: null,
        });
      }
      begun.add(enrollment.enrollment);
      write(type, day, data);
    };
    const due = random() < 0.2 ? null : on(below(DAYS + 40));
    const certificate = { certifiedOn: on(day), expiresOn: on(day + below(60)), renewalOpensOn: null };
    const attempt = (): void => {
      const known = attempts.filter(({ next }) => next !== null);
      if (known.length === 0 || random() < 0.5) {
        const taken = { attempt: derivedId('attempt', String(events.length)), person, course };
        const grade = gradeOf(below(101));
        const recorded = { ...taken, assessment: 'quiz', banked: false };
        const kind = below(3);
        if (kind === 0) happened('attempt', 'AttemptRecorded', taken.attempt, day, { ...recorded, grade });
        if (kind === 1) happened('attempt', 'AttemptRecorded', taken.attempt, day, { ...recorded, grade: null });
        if (kind === 2)
          happened('attempt', 'AttemptStarted', taken.attempt, day, { ...recorded, number: 1, closesAt: null });
        attempts.push({ ...taken, day, next: ['ScoreOverridden', 'AttemptGraded', 'AttemptSubmitted'][kind]! });
        return;
      }
      const found = oneOf(known);
      const { attempt, next, day: before } = found;
      const of = { attempt, person: found.person, course: found.course, assessment: 'quiz' };
      found.day = before + below(5);
      if (next === 'AttemptSubmitted') {
        const results = ['q1', 'q2', 'q3'].map((question) => ({ question, points: below(3), max: 2, comment: null }));
        happened('attempt', random() < 0.5 ? next : 'AttemptTimedOut', attempt, found.day, {
          ...of,
          closedAt: on(found.day),
        });
        happened('attempt', 'AnswersGraded', attempt, found.day, { ...of, by: 'key', results });
        if (random() < 0.3) {
          happened('attempt', 'AnswersGraded', attempt, found.day, {
            ...of,
            by: 'person',
            results: results.slice(0, 1).map((result) => ({ ...result, points: 2 })),
          });
        }
        found.next = 'AttemptGraded';
      } else {
        const corrected = { grade: gradeOf(below(101)), previous: null, reason: 'x', approver: person };
        happened('attempt', next!, attempt, found.day, { ...of, ...corrected });
        found.next = next === 'AttemptGraded' ? 'ScoreOverridden' : random() < 0.3 ? 'AttemptInvalidated' : null;
      }
    };
    oneOf<() => void>([
      () =>
        enroll('LearnerEnrolled', { reason: { kind: 'manual' }, dueOn: due, ruleDueOn: null, recertification: null }),
      () =>
        enroll('LearnerEnrolled', { reason: { kind: 'manual' }, dueOn: due, ruleDueOn: null, recertification: null }),
      () =>
        enroll('RequirementAdded', {
          reason: { kind: 'rule', rule: 'r' },
          dueOn: due,
          ruleDueOn: due,
          open: random() < 0.5,
        }),
      () => enroll('RequirementEnded', { rule: 'r', cause: 'c', dueOn: due, open: random() < 0.5 }),
      () => enroll('DueDateMoved', { dueOn: due, reason: 'x' }),
      () => enroll('LearnerExempted', { reason: 'x', approver: person }),
      () => enroll('LearnerWithdrawn', { reason: { kind: 'manual' }, certified: random() < 0.3 }),
      () => enroll('EnrollmentCompleted', { result: null, courseVersion: null, attempt: null }),
      () => enroll('EnrollmentCompleted', { result: null, courseVersion: null, attempt: null }),
      () => enroll('EnrollmentFailed', { result: null }),
      () => enroll('LearnerCertified', certificate),
      () => enroll('CertificationRenewed', { ...certificate, previousExpiresOn: on(day) }),
      () => enroll('CertificationExpired', { expiresOn: on(day), open: random() < 0.5 }),
      () => enroll('EnrollmentSuperseded', { courseVersion: 2, dueOn: due }),
      () => place(index, day),
      () =>
        happened('person', 'PersonTransferred', person, day, {
          person,
          orgUnit: oneOf(UNITS),
          manager: null,
          effectiveOn: on(day),
        }),
      () => happened('person', 'PersonTerminated', person, day, { person, effectiveOn: on(day) }),
      () =>
        happened('person', 'PersonRehired', person, day, {
          person,
          role: 'staff',
          orgUnit: oneOf(UNITS),
          manager: null,
          effectiveOn: on(day),
        }),
      attempt,
      attempt,
      attempt,
      attempt,
    ])();
  }
  return events;
}

function gradeOf(raw: number) {
  return { raw, min: 0, max: 100, scaled: raw / 100, passed: raw >= 40 };
}

/** Enough of everything for tables to differ if they are filled differently. */
export const SMALL = { people: 20, events: 600, step: 12_345 };

/** A history as one batch of the log. */
export function batchOf(events: readonly RecordedEvent[]): EventBatch {
  return { events, position: events.at(-1)!.position, caughtUp: true };
}
