import type { AttemptEvent } from '../../packages/assessment/attempt.events';
import type { EnrollmentEvent } from '../../packages/enrollment/enrollment.events';
import { collectionName, derivedId, type RecordedEvent } from '../../packages/eventsourcing';
import { givenProjection, recorded } from '../../packages/eventsourcing/testing';
import type { PersonEvent } from '../../packages/people/person.events';
import type { ReportingLinesEvent } from '../../packages/people/reporting-lines.events';
import type { TitleMappingEvent } from '../../packages/people/title-mapping.events';
import { mongoProjections } from '..';
import { attempts } from './attempts';
import { enrollments } from './enrollments';
import { jobTitles } from './job-titles';
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
    mapping: null,
    orgUnit: 'd005',
    manager: 'boss-1',
    effectiveOn: '2026-01-01',
  },
};
const placed = (manager: string | null, effectiveOn = '2026-01-01'): ReportingLinesEvent => ({
  type: 'ReportingLineChanged',
  data: {
    people: [person, 'person-2'],
    manager,
    reason: { kind: 'hr', claimed: manager, cause: 'x', from: effectiveOn },
    effectiveOn,
  },
});
const asked = { ruleDueOn: null, recertification: null, effectiveOn: '2026-01-01' };
const enrolled: EnrollmentEvent = {
  type: 'LearnerEnrolled',
  data: { ...of, reason: { kind: 'manual' }, dueOn: '2026-02-01', ...asked },
};
const withdrawn: EnrollmentEvent = {
  type: 'LearnerWithdrawn',
  data: { ...of, reason: { kind: 'manual' }, certified: false, effectiveOn: '2026-01-02' },
};
const completed: EnrollmentEvent = {
  type: 'EnrollmentCompleted',
  data: { ...of, result: 'Pass', courseVersion: 1, attempt: null },
};

/** The events of a test, one a day from the first. */
function history(...events: (PersonEvent | ReportingLinesEvent | EnrollmentEvent | AttemptEvent)[]): RecordedEvent[] {
  return events.map((event, i) =>
    recorded(event, { category: 'any', id: '1', position: i + 1, occurredAt: day(i + 1) }),
  );
}

describe('people', () => {
  const engineer = { on: '2026-01-01', rank: 0, value: { jobTitle: 'Engineer', role: 'engineer' } };
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
    history: {
      employment: [{ on: '2026-01-01', rank: 0, value: true }],
      positions: [engineer],
      orgUnits: [{ on: '2026-01-01', rank: 0, value: 'd005' }],
    },
  };
  const promoted: PersonEvent = {
    type: 'RoleChanged',
    data: {
      person,
      jobTitle: 'Staff',
      role: 'staff',
      mapping: null,
      previousRole: 'engineer',
      effectiveOn: '2026-01-02',
    },
  };
  const leader: PersonEvent = {
    ...promoted,
    data: { ...promoted.data, jobTitle: 'Leader', role: 'leader', effectiveOn: '2026-01-03' },
  };

  it('shows who was hired, and for whom they work', () => {
    const shown = givenProjection(people, history(hired, placed('boss-1')));
    shown.thenDocument(person, document);
    shown.thenDocument('person-2', expect.objectContaining({ status: 'pending', manager: 'boss-1' }) as never);
  });

  it('follows role, unit, manager, departure and return', () => {
    const events = history(
      hired,
      placed('boss-1'),
      promoted,
      { type: 'PersonTransferred', data: { person, orgUnit: 'd004', manager: null, effectiveOn: '2026-01-03' } },
      placed(null),
      { type: 'PersonTerminated', data: { person, effectiveOn: '2026-01-04' } },
    );
    const gone = { role: 'staff', orgUnit: 'd004', manager: null, status: 'terminated', terminatedOn: '2026-01-04' };
    givenProjection(people, events).thenDocument(person, expect.objectContaining(gone) as never);
    const back: PersonEvent = {
      type: 'PersonRehired',
      data: { person, jobTitle: 'Staff', role: 'staff', mapping: null, orgUnit: 'd001', manager: null, effectiveOn: '2026-01-06' },
    };
    const here = { orgUnit: 'd001', status: 'active', terminatedOn: null, hiredOn: '2026-01-01' };
    givenProjection(people, [...events, ...history(...Array<PersonEvent>(6).fill(hired), back).slice(-1)]).thenDocument(
      person,
      expect.objectContaining(here) as never,
    );
  });

  it('shows the same in whatever order the facts arrive, before the hire as well', () => {
    for (const order of [[hired, promoted, leader], [leader, hired, promoted], [leader, promoted, hired]]) {
      givenProjection(people, history(...order)).thenDocument(person, {
        ...document,
        manager: null,
        jobTitle: 'Leader',
        role: 'leader',
        history: {
          ...document.history,
          positions: [
            engineer,
            { on: '2026-01-02', rank: 1, value: { jobTitle: 'Staff', role: 'staff' } },
            { on: '2026-01-03', rank: 1, value: { jobTitle: 'Leader', role: 'leader' } },
          ],
        },
      });
    }
  });
}); // prettier-ignore

describe('enrollments', () => {
  const document = {
    _id: of.enrollment,
    tenant: 'acme',
    person,
    course: 'safety',
    status: 'open' as const,
    reason: { kind: 'manual' as const },
    rules: [],
    enrolledAt: day(1),
    startedAt: null,
    dueOn: '2026-02-01',
    overdue: false,
    endedAt: null,
    result: null,
    exemption: null,
    certificate: null,
  };
  const after = (...events: EnrollmentEvent[]) => givenProjection(enrollments, history(enrolled, ...events));
  const rule = { kind: 'rule', rule: 'everyone', ruleVersion: 1, cause: 'x' } as const;
  const certificate = { certifiedOn: '2026-01-02', expiresOn: '2027-01-02', renewalOpensOn: '2026-12-03' };

  it('shows an open one', () => after().thenDocument('enrollment-1', document));

  it.each([
    [withdrawn, 'withdrawn', null],
    [completed, 'completed', 'Pass'],
    [{ type: 'EnrollmentFailed', data: { ...of, result: 'Fail' } }, 'failed', 'Fail'],
  ] as const)('after %p is over', (ended, status, result) => {
    after(ended).thenDocument('enrollment-1', { ...document, status, endedAt: day(2), result });
  });

  it('begins anew when somebody comes back', () => {
    after(withdrawn, enrolled).thenDocument('enrollment-1', { ...document, enrolledAt: day(3) });
  });

  it('names the rules that require it, and is due as the earliest says', () => {
    const added: EnrollmentEvent = {
      type: 'RequirementAdded',
      data: { ...of, ...asked, reason: rule, dueOn: '2026-01-15', open: true },
    };
    const ended: EnrollmentEvent = {
      type: 'RequirementEnded',
      data: { ...of, rule: 'everyone', cause: 'x', dueOn: '2026-02-01', open: true, effectiveOn: '2026-01-03' },
    };
    after(added).thenDocument('enrollment-1', { ...document, rules: ['everyone'], dueOn: '2026-01-15' });
    after(added, ended).thenDocument('enrollment-1', document);
  });

  it('is started, overdue, and neither when its date is moved or it is over', () => {
    const started: EnrollmentEvent = { type: 'EnrollmentStarted', data: of };
    const late: EnrollmentEvent = { type: 'EnrollmentBecameOverdue', data: { ...of, dueOn: '2026-02-01' } };
    const moved: EnrollmentEvent = { type: 'DueDateMoved', data: { ...of, dueOn: '2026-05-01', reason: 'Leave' } };
    after(started, late).thenDocument('enrollment-1', { ...document, startedAt: day(2), overdue: true });
    after(started, late, moved).thenDocument('enrollment-1', { ...document, startedAt: day(2), dueOn: '2026-05-01' });
    after(late, withdrawn).thenDocument('enrollment-1', { ...document, status: 'withdrawn', endedAt: day(3) });
  });

  it('is exempted with reason and approver', () => {
    const exemption = { reason: 'Certified elsewhere', approver: 'boss-1' };
    after({ type: 'LearnerExempted', data: { ...of, ...exemption } }).thenDocument('enrollment-1', {
      ...document,
      status: 'exempted',
      endedAt: day(2),
      exemption,
    });
  });

  it('holds its certificate until it expires, also while the renewal is open', () => {
    const certified: EnrollmentEvent = { type: 'LearnerCertified', data: { ...of, ...certificate } };
    const renewal: EnrollmentEvent = {
      type: 'LearnerEnrolled',
      data: { ...of, ...asked, reason: { kind: 'recertification', expiresOn: '2027-01-02' }, dueOn: '2027-01-02' },
    };
    const expired = (open: boolean): EnrollmentEvent => ({
      type: 'CertificationExpired',
      data: { ...of, expiresOn: '2027-01-02', open },
    });
    const earned = { ...document, status: 'completed' as const, endedAt: day(2), result: 'Pass' };
    after(completed, certified).thenDocument('enrollment-1', { ...earned, certificate });
    after(completed, certified, expired(false)).thenDocument('enrollment-1', {
      ...earned,
      status: 'expired',
      endedAt: day(4),
    });
    after(completed, certified, renewal).thenDocument(
      'enrollment-1',
      expect.objectContaining({ status: 'open', certificate, dueOn: '2027-01-02' }) as never,
    );
    after(completed, certified, renewal, expired(true)).thenDocument(
      'enrollment-1',
      expect.objectContaining({ status: 'open', certificate: null }) as never,
    );
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
    const events = history(enrolled, { type: 'AttemptRecorded', data: { ...tried, banked: false, grade } }, completed);
    givenProjection(transcripts, events).thenDocument(person, {
      _id: person,
      tenant: 'acme',
      courses: {
        safety: {
          status: 'completed',
          enrolledAt: day(1),
          endedAt: day(3),
          result: 'Pass',
          certifiedUntil: null,
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
    const events = history(hired, placed('boss-1'), enrolled, placed('boss-2'));
    givenProjection(teamProgress, events).thenDocument(
      person,
      expect.objectContaining({
        manager: 'boss-2',
        employeeNumber: '10001',
        role: 'engineer',
        orgUnit: 'd005',
        active: true,
        enrollments: { 'enrollment-1': { course: 'safety', status: 'open', dueOn: '2026-02-01' } },
      }) as never,
    );
  });

  it('does not mind what is seen first of person, line and enrollment', () => {
    const expected = expect.objectContaining({ manager: 'boss-1', active: true }) as never;
    for (const order of [[hired, placed('boss-1'), enrolled], [enrolled, placed('boss-1'), hired]]) {
      givenProjection(teamProgress, history(...order)).thenDocument(person, expected);
    }
  });
}); // prettier-ignore

describe('job titles', () => {
  it('are known with their role, and whether somebody mapped them', () => {
    const held = { ...hired, data: { ...hired.data, mapping: { version: 0, mapped: false } } } as PersonEvent;
    const mapped: TitleMappingEvent = { type: 'JobTitleMapped', data: { version: 1, jobTitle: 'Engineer', role: 'builder' } };
    const _id = derivedId('job-title', 'acme', 'Engineer');
    const title = { _id, tenant: 'acme', jobTitle: 'Engineer', firstHeldOn: '2026-01-01' };
    givenProjection(jobTitles, history(held)).thenDocument(_id, { ...title, role: 'engineer', mapped: false });
    const events = [...history(held), recorded(mapped, { category: 'titlemapping', id: 'roles', position: 2 })];
    givenProjection(jobTitles, events).thenDocument(_id, { ...title, role: 'builder', mapped: true });
  });
}); // prettier-ignore

it('no two read models share a collection', () => {
  const names = mongoProjections.map(collectionName);
  expect(new Set(names).size).toBe(names.length);
});
