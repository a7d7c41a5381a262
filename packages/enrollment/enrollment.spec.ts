import { given, recorded } from '../eventsourcing/testing';
import { courseDecider } from './course.decider';
import { enrollmentDecider, enrollmentIdOf } from './enrollment.decider';
import type { AssignmentRulePublished, EnrollmentEvent } from './enrollment.events';
import { ruleDecider } from './rule.decider';
import { whenRoleChangedThenAssign } from './when-role-changed-then-assign.workflow';

const at = '2026-03-01T09:30:00.000Z';
const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const course = 'leadership-level-1';
const of = { enrollment: enrollmentIdOf(person, course), person, course };

const enrolled: EnrollmentEvent = { type: 'LearnerEnrolled', data: { ...of, reason: { kind: 'manual' }, dueOn: null } };
const withdrawn: EnrollmentEvent = { type: 'LearnerWithdrawn', data: of };
const completed: EnrollmentEvent = { type: 'EnrollmentCompleted', data: { ...of, result: 'Pass' } };
const failed: EnrollmentEvent = { type: 'EnrollmentFailed', data: { ...of, result: null } };

describe('an enrollment', () => {
  const enroll = { type: 'EnrollLearner', at, data: { person, course } } as const;
  const withdraw = { type: 'WithdrawLearner', at, data: { person, course } } as const;
  const complete = { type: 'CompleteEnrollment', at, data: { person, course, result: 'Pass' } } as const;
  const fail = { type: 'FailEnrollment', at, data: { person, course } } as const;

  it('begins', () => given(enrollmentDecider).when(enroll).then(enrolled));
  it('begins again after a withdrawal', () =>
    given(enrollmentDecider, [enrolled, withdrawn]).when(enroll).then(enrolled));
  it('begins again after a failure', () => given(enrollmentDecider, [enrolled, failed]).when(enroll).then(enrolled));
  it('that was completed is not begun again', () =>
    given(enrollmentDecider, [enrolled, completed]).when(enroll).thenNothing());

  it('is withdrawn', () => given(enrollmentDecider, [enrolled]).when(withdraw).then(withdrawn));
  it('is completed', () => given(enrollmentDecider, [enrolled]).when(complete).then(completed));
  it('fails', () => given(enrollmentDecider, [enrolled]).when(fail).then(failed));

  it('says why and until when', () => {
    const reason = { kind: 'rule', rule: 'leaders', ruleVersion: 2, cause: person } as const;
    given(enrollmentDecider)
      .when({ type: 'EnrollLearner', at, data: { person, course, reason, dueOn: '2026-04-01' } })
      .then({ type: 'LearnerEnrolled', data: { ...of, reason, dueOn: '2026-04-01' } });
  });

  it.each([
    ['never begun', [], 'not-enrolled'],
    ['withdrawn', [enrolled, withdrawn], 'enrollment-withdrawn'],
    ['failed', [enrolled, failed], 'enrollment-failed'],
  ] as const)('that was %s is not completed', (_, history, code) => {
    given(enrollmentDecider, history).when(complete).thenRefused(code);
  });

  it('that was completed is neither withdrawn nor failed', () => {
    given(enrollmentDecider, [enrolled, completed]).when(withdraw).thenRefused('enrollment-completed');
    given(enrollmentDecider, [enrolled, completed]).when(fail).thenRefused('enrollment-completed');
  });
});

describe('a course', () => {
  const published = { type: 'CoursePublished', data: { course, version: 1, title: 'Leadership' } } as const;

  it('is published', () =>
    given(courseDecider)
      .when({ type: 'PublishCourse', at, data: { course, title: 'Leadership' } })
      .then(published));

  it('gets a new version with its change', () =>
    given(courseDecider, [published])
      .when({ type: 'PublishCourse', at, data: { course, title: 'Leadership 1' } })
      .then({ type: 'CoursePublished', data: { course, version: 2, title: 'Leadership 1' } }));
});

describe('an assignment rule', () => {
  const data = { rule: 'leaders', roles: ['b', 'a', 'b'], courses: [course], dueInDays: 30 };
  const published: AssignmentRulePublished = {
    type: 'AssignmentRulePublished',
    data: { rule: 'leaders', version: 1, roles: ['a', 'b'], courses: [course], dueInDays: 30 },
  };

  it('is published, its lists in order', () =>
    given(ruleDecider).when({ type: 'PublishAssignmentRule', at, data }).then(published));

  it('gets a new version with its change', () =>
    given(ruleDecider, [published])
      .when({ type: 'PublishAssignmentRule', at, data: { ...data, dueInDays: 14 } })
      .then({ type: 'AssignmentRulePublished', data: { ...published.data, version: 2, dueInDays: 14 } }));
});

describe('when a role changed, then assign', () => {
  const { evolve, initialState, react } = whenRoleChangedThenAssign;
  const rule = (name: string, roles: string[], dueInDays: number | null) =>
    recorded<AssignmentRulePublished>(
      {
        type: 'AssignmentRulePublished',
        data: { rule: name, version: 3, roles, courses: [name], dueInDays },
      },
      { category: 'rule', id: name, position: 1 },
    );
  const rules = [rule('everyone', [], null), rule('leaders', ['technique-leader'], 30)].reduce(evolve, initialState);
  const change = (role: string) =>
    recorded({ type: 'RoleChanged', data: { person, role } } as const, {
      category: 'person',
      id: person,
      position: 9,
      occurredAt: at,
    });

  it('enrols in what the role requires, due from the day of the change', () => {
    expect(react(change('technique-leader'), rules)).toEqual([
      {
        type: 'EnrollLearner',
        at,
        data: {
          person,
          course: 'everyone',
          reason: { kind: 'rule', rule: 'everyone', ruleVersion: 3, cause: 'event-9' },
        },
      },
      {
        type: 'EnrollLearner',
        at,
        data: {
          person,
          course: 'leaders',
          dueOn: '2026-03-31',
          reason: { kind: 'rule', rule: 'leaders', ruleVersion: 3, cause: 'event-9' },
        },
      },
    ]);
  });

  it('leaves rules for other roles alone', () => {
    expect(react(change('staff'), rules).map(({ data }) => (data as { course: string }).course)).toEqual(['everyone']);
  });

  it('follows the newest version of a rule', () => {
    const narrowed = evolve(rules, rule('everyone', ['engineer'], null));
    expect(react(change('staff'), narrowed)).toEqual([]);
  });
});
