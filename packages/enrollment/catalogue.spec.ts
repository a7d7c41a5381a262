import { given } from '../eventsourcing/testing';
import { courseDecider } from './course.decider';
import type { AssignmentRulePublished, CourseEvent } from './enrollment.events';
import { ruleDecider } from './rule.decider';

const at = '2026-03-01T09:30:00.000Z';
const course = 'leadership-level-1';

describe('a course', () => {
  const unlimited = { kind: 'unlimited' } as const;
  const yearly = { kind: 'yearly', on: '12-31' } as const;
  const published: CourseEvent = {
    type: 'CoursePublished',
    data: { course, version: 1, title: 'Leadership', validity: unlimited, assessment: null },
  };
  const drafted: CourseEvent = {
    type: 'CourseDrafted',
    data: { course, title: 'Leadership I', validity: yearly, assessment: 'final' },
  };
  const retired: CourseEvent = { type: 'CourseRetired', data: { course } };
  const publish = { type: 'PublishCourse', at, data: { course } } as const;
  const retire = { type: 'RetireCourse', at, data: { course } } as const;

  it('is published', () =>
    given(courseDecider)
      .when({ ...publish, data: { course, title: 'Leadership' } })
      .then(published));

  it('is drafted, and published as drafted', () => {
    const draft = { course, title: 'Leadership I', validity: yearly, assessment: 'final' };
    given(courseDecider, [published]).when({ type: 'DraftCourse', at, data: draft }).then(drafted);
    given(courseDecider, [published, drafted])
      .when(publish)
      .then({ type: 'CoursePublished', data: { ...draft, version: 2 } });
  });

  it('gets a new version with its change, and keeps what is not said', () =>
    given(courseDecider, [published])
      .when({ ...publish, data: { course, validity: yearly } })
      .then({ type: 'CoursePublished', data: { ...published.data, version: 2, validity: yearly } }));

  it('without a title is not published', () => given(courseDecider).when(publish).thenRefused('nothing-to-publish'));

  it('is retired, and published again', () => {
    given(courseDecider, [published]).when(retire).then(retired);
    given(courseDecider, [published, retired])
      .when(publish)
      .then({ type: 'CoursePublished', data: { ...published.data, version: 2 } });
  });

  it('that was never published is not retired', () =>
    given(courseDecider).when(retire).thenRefused('course-not-published'));
});

describe('an assignment rule', () => {
  const data = {
    rule: 'leaders',
    audience: { anyOf: [{ roles: ['b', 'a', 'b'] }, { orgUnits: ['d005'] }] },
    courses: [course],
    due: { kind: 'in-days', days: 30 } as const,
  };
  const published: AssignmentRulePublished = {
    type: 'AssignmentRulePublished',
    data: {
      rule: 'leaders',
      version: 1,
      audience: {
        anyOf: [
          { roles: ['a', 'b'], orgUnits: null },
          { roles: null, orgUnits: ['d005'] },
        ],
      },
      courses: [course],
      due: { kind: 'in-days', days: 30 },
      recertification: null,
      effectiveOn: '2026-03-01',
    },
  };
  const publish = { type: 'PublishAssignmentRule', at, data } as const;
  const retire = { type: 'RetireAssignmentRule', at, data: { rule: 'leaders' } } as const;
  const before = '2026-02-28T23:59:59.999Z';

  it('is published, its lists in order', () => given(ruleDecider).when(publish).then(published));

  it('is for everyone', () =>
    given(ruleDecider)
      .when({ ...publish, data: { ...data, audience: { everyone: true } } })
      .then({ type: 'AssignmentRulePublished', data: { ...published.data, audience: { everyone: true } } }));

  it('gets a new version with its change', () => {
    const due = { kind: 'on', date: '2026-12-31' } as const;
    given(ruleDecider, [published])
      .when({ ...publish, data: { ...data, due } })
      .then({ type: 'AssignmentRulePublished', data: { ...published.data, version: 2, due } });
  });

  it('does not change before the day from which it holds', () => {
    given(ruleDecider, [published])
      .when({ ...publish, at: before, data: { ...data, courses: ['other'] } })
      .thenRefused('rule-effective-earlier');
    given(ruleDecider, [published])
      .when({ ...retire, at: before })
      .thenRefused('rule-effective-earlier');
  });

  it('is retired, and published again', () => {
    const retired = {
      type: 'AssignmentRuleRetired',
      data: { rule: 'leaders', version: 1, effectiveOn: '2026-03-01' },
    } as const;
    given(ruleDecider, [published]).when(retire).then(retired);
    given(ruleDecider, [published, retired])
      .when(publish)
      .then({ type: 'AssignmentRulePublished', data: { ...published.data, version: 2 } });
  });

  it('that was never published is not retired', () =>
    given(ruleDecider).when(retire).thenRefused('rule-not-published'));
});
