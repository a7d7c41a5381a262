import type { AttemptEvent } from '../../packages/assessment/attempt.events';
import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import { collectionName, type RecordedEvent } from '../../packages/eventsourcing';
import { givenProjection, recorded } from '../../packages/eventsourcing/testing';
import type { PersonEvent } from '../../packages/people/person.events';
import { mongoProjections } from '..';
import { attempts } from './attempts';
import { enrollments } from './enrollments';
import { people } from './people';
import { teamProgress } from './team-progress';
import { transcripts } from './transcripts';

const person = 'person-1';
const of = { enrollment: 'enrollment-1', person, course: 'safety' };
const tried = { attempt: 'attempt-1', person, course: 'safety', assessment: 'quiz' };
const grade = { raw: 8, min: 0, max: 10, scaled: 0.8, passed: true };
const day = (n: number): string => `2026-01-0${n}T00:00:00.000Z`;

const hired: PersonEvent = {
  type: 'PersonHired',
  data: {
    person,
    employeeNumber: '10001',
    name: { given: 'Georgi', family: 'Facello' },
    email: null,
    jobTitle: 'Engineer',
    role: 'engineer',
    orgUnit: 'd005',
    manager: 'boss-1',
    effectiveOn: '2026-01-01',
  },
};
const enrolled: EnrollmentEvent = {
  type: 'LearnerEnrolled',
  data: { ...of, reason: { kind: 'manual' }, dueOn: '2026-02-01' },
};

/** The events of a test, one a day from the first. */
function history(...events: (PersonEvent | EnrollmentEvent | AttemptEvent)[]): RecordedEvent[] {
  return events.map((event, i) =>
    recorded(event, { category: 'any', id: '1', position: i + 1, occurredAt: day(i + 1) }),
  );
}

describe('people', () => {
  const document = {
    _id: person,
    tenant: 'acme',
    employeeNumber: '10001',
    name: { given: 'Georgi', family: 'Facello' },
    email: null,
    status: 'active' as const,
    jobTitle: 'Engineer',
    role: 'engineer',
    orgUnit: 'd005',
    manager: 'boss-1',
    hiredOn: '2026-01-01',
    terminatedOn: null,
  };

  it('shows who was hired', () => givenProjection(people, history(hired)).thenDocument(person, document));

  it('follows role, unit, manager and departure', () => {
    const changes = history(
      hired,
      {
        type: 'RoleChanged',
        data: { person, jobTitle: 'Staff', role: 'staff', previousRole: 'engineer', effectiveOn: '2026-01-02' },
      },
      { type: 'PersonTransferred', data: { person, orgUnit: 'd004', manager: null, effectiveOn: '2026-01-03' } },
      { type: 'PersonTerminated', data: { person, effectiveOn: '2026-01-04' } },
    );
    givenProjection(people, changes).thenDocument(person, {
      ...document,
      jobTitle: 'Staff',
      role: 'staff',
      orgUnit: 'd004',
      manager: null,
      status: 'terminated',
      terminatedOn: '2026-01-04',
    });
  });
});

describe('enrollments', () => {
  const document = {
    _id: of.enrollment,
    tenant: 'acme',
    person,
    course: 'safety',
    status: 'open' as const,
    reason: { kind: 'manual' as const },
    enrolledAt: day(1),
    dueOn: '2026-02-01',
    endedAt: null,
    result: null,
  };

  it('shows an open one', () => givenProjection(enrollments, history(enrolled)).thenDocument('enrollment-1', document));

  it.each([
    ['LearnerWithdrawn', 'withdrawn', null],
    ['EnrollmentCompleted', 'completed', 'Pass'],
    ['EnrollmentFailed', 'failed', 'Fail'],
  ] as const)('after %s is %s', (type, status, result) => {
    const ended = { type, data: type === 'LearnerWithdrawn' ? of : { ...of, result } } as EnrollmentEvent;
    givenProjection(enrollments, history(enrolled, ended)).thenDocument('enrollment-1', {
      ...document,
      status,
      endedAt: day(2),
      result,
    });
  });

  it('begins anew when somebody comes back', () => {
    const events = history(enrolled, { type: 'LearnerWithdrawn', data: of }, enrolled);
    givenProjection(enrollments, events).thenDocument('enrollment-1', { ...document, enrolledAt: day(3) });
  });
});

describe('attempts', () => {
  it('shows an attempt that waits for its grade, then the grade', () => {
    const events = history(
      { type: 'AttemptRecorded', data: { ...tried, banked: false, grade: null } },
      { type: 'AttemptGraded', data: { ...tried, grade } },
    );
    givenProjection(attempts, events).thenDocument(
      'attempt-1',
      expect.objectContaining({ submittedAt: day(1), grade, gradedAt: day(2), banked: false }) as never,
    );
  });
});

describe('transcripts', () => {
  it('gathers everything that a person took part in', () => {
    const events = history(
      enrolled,
      { type: 'AttemptRecorded', data: { ...tried, banked: false, grade } },
      { type: 'EnrollmentCompleted', data: { ...of, result: 'Pass' } },
    );
    givenProjection(transcripts, events).thenDocument(person, {
      _id: person,
      tenant: 'acme',
      courses: {
        safety: {
          status: 'completed',
          enrolledAt: day(1),
          endedAt: day(3),
          result: 'Pass',
          attempts: {
            'attempt-1': { assessment: 'quiz', status: 'graded', submittedAt: day(2), scaled: 0.8, passed: true },
          },
        },
      },
    });
  });

  it('shows an attempt of somebody who never enrolled', () => {
    const events = history({ type: 'AttemptRecorded', data: { ...tried, banked: false, grade: null } });
    givenProjection(transcripts, events).thenDocument(
      person,
      expect.objectContaining({
        courses: { safety: expect.objectContaining({ status: 'not-enrolled', enrolledAt: null }) as never },
      }) as never,
    );
  });
});

describe('team progress', () => {
  it('moves a member with what they are enrolled in', () => {
    const moved: PersonEvent = {
      type: 'PersonTransferred',
      data: { person, orgUnit: 'd004', manager: 'boss-2', effectiveOn: '2026-01-03' },
    };
    givenProjection(teamProgress, history(hired, enrolled, moved)).thenDocument(person, {
      _id: person,
      tenant: 'acme',
      manager: 'boss-2',
      employeeNumber: '10001',
      role: 'engineer',
      orgUnit: 'd004',
      active: true,
      enrollments: { 'enrollment-1': { course: 'safety', status: 'open', dueOn: '2026-02-01' } },
    });
  });

  it('does not mind which of person and enrollment is seen first', () => {
    const after = givenProjection(teamProgress, history(hired, enrolled));
    const before = givenProjection(teamProgress, history(enrolled, hired));
    const expected = expect.objectContaining({ manager: 'boss-1', active: true }) as never;
    after.thenDocument(person, expected);
    before.thenDocument(person, expected);
  });
});

it('no two read models share a collection', () => {
  const names = mongoProjections.map(collectionName);
  expect(new Set(names).size).toBe(names.length);
});
