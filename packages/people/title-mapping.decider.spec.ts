import { foldEvents } from '../eventsourcing';
import { given } from '../eventsourcing/testing';
import { roleOf, titleMappingDecider } from './title-mapping.decider';
import type { TitleMappingEvent } from './title-mapping.events';

const at = '2026-03-01T00:00:00.000Z';
const jobTitle = 'Head of Things';
const mapped: TitleMappingEvent = { type: 'JobTitleMapped', data: { version: 1, jobTitle, role: 'manager' } };
const unmapped: TitleMappingEvent = {
  type: 'JobTitleUnmapped',
  data: { version: 2, jobTitle, role: 'head-of-things' },
};
const staff: TitleMappingEvent = { type: 'DefaultRoleSet', data: { version: 1, role: 'staff' } };
const roleAfter = (...events: TitleMappingEvent[]) => roleOf(foldEvents(titleMappingDecider, events), jobTitle);

describe('the mapping of job titles', () => {
  it('maps a title, and maps it no longer', () => {
    given(titleMappingDecider)
      .when({ type: 'MapJobTitle', at, data: { jobTitle, role: 'manager' } })
      .then(mapped);
    given(titleMappingDecider, [mapped]).when({ type: 'UnmapJobTitle', at, data: { jobTitle } }).then(unmapped);
    given(titleMappingDecider).when({ type: 'UnmapJobTitle', at, data: { jobTitle } }).thenNothing();
  });

  it('has a default, and gives it up', () => {
    given(titleMappingDecider)
      .when({ type: 'SetDefaultRole', at, data: { role: 'staff' } })
      .then(staff);
    given(titleMappingDecider, [staff])
      .when({ type: 'SetDefaultRole', at, data: {} })
      .then({ type: 'DefaultRoleSet', data: { version: 2, role: null } });
  });

  it('says what a title stands for, by which version, and whether somebody said so', () => {
    expect(roleAfter()).toEqual({ role: 'head-of-things', mapping: { version: 0, mapped: false } });
    expect(roleAfter(mapped)).toEqual({ role: 'manager', mapping: { version: 1, mapped: true } });
    expect(roleAfter(mapped, unmapped)).toEqual({ role: 'head-of-things', mapping: { version: 2, mapped: false } });
    expect(roleAfter(staff)).toEqual({ role: 'staff', mapping: { version: 1, mapped: false } });
  });
});
