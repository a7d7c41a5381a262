import fc from 'fast-check';
import { foldEvents } from '../eventsourcing';
import { given } from '../eventsourcing/testing';
import { type PersonCommand, personDecider, personIdOf } from './person.decider';
import type { PersonEvent, PersonHired } from './person.events';
import { roleOfJobTitle } from './roles';

const at = '2026-03-01T00:00:00.000Z';
const effectiveOn = '2026-03-01';
const person = personIdOf('acme', '10001');
const manager = personIdOf('acme', '10002');

const job = { jobTitle: 'Engineer', role: 'engineer', orgUnit: 'd005', manager };
const hired: PersonHired = {
  type: 'PersonHired',
  data: { person, ...job, employeeNumber: '10001', mapping: null, name: null, email: null, effectiveOn: '2020-01-01' },
};
const left: PersonEvent = { type: 'PersonTerminated', data: { person, effectiveOn: '2025-01-01' } };
const promoted: PersonEvent = {
  type: 'RoleChanged',
  data: {
    person,
    jobTitle: 'Technique Leader',
    role: 'technique-leader',
    mapping: null,
    previousRole: 'engineer',
    effectiveOn,
  },
};
const hire = { type: 'HirePerson', at, data: { person, employeeNumber: '10001', ...job } } as const;
const promote = {
  type: 'ChangeRole',
  at,
  data: { person, jobTitle: 'Technique Leader', role: 'technique-leader' },
} as const;
const terminate = { type: 'TerminatePerson', at, data: { person } } as const;

describe('a person', () => {
  it('is hired', () => {
    given(personDecider)
      .when(hire)
      .then({ ...hired, data: { ...hired.data, effectiveOn } });
  });

  it('is not hired twice on one day with other facts', () => {
    given(personDecider, [hired])
      .when({ ...hire, at: '2020-01-01T08:00:00.000Z', data: { ...hire.data, orgUnit: 'd004' } })
      .thenRefused('person-already-hired');
  });

  it('is not their own manager', () => {
    const own = { orgUnit: 'd005', manager: person };
    given(personDecider).when({ ...hire, data: { ...hire.data, ...own } }).thenRefused('own-manager');
    given(personDecider, [hired]).when({ type: 'TransferPerson', at, data: { person, ...own } }).thenRefused('own-manager');
    given(personDecider, [hired]).when({ ...promote, data: { ...promote.data, ...own } }).thenRefused('own-manager');
  });

  it('is promoted, and moves with it', () => {
    given(personDecider, [hired]).when(promote).then(promoted);
    const moved: PersonEvent = { type: 'PersonTransferred', data: { person, orgUnit: 'd004', manager: null, effectiveOn } };
    given(personDecider, [hired]).when({ ...promote, data: { ...promote.data, orgUnit: 'd004' } }).then(promoted, moved);
  });

  it('holds the role that the mapping says, which is kept', () => {
    const mapping = { version: 3, mapped: true };
    given(personDecider, [hired])
      .when({ ...promote, data: { ...promote.data, mapping } })
      .then({ ...promoted, data: { ...promoted.data, mapping } });
  });

  it('moves to another unit, and to the top', () => {
    given(personDecider, [hired])
      .when({ type: 'TransferPerson', at, data: { person, orgUnit: 'd004' } })
      .then({ type: 'PersonTransferred', data: { person, orgUnit: 'd004', manager: null, effectiveOn } });
  });

  it('leaves, once, or earlier than was said first', () => {
    const gone: PersonEvent = { type: 'PersonTerminated', data: { person, effectiveOn } };
    given(personDecider, [hired]).when(terminate).then(gone);
    given(personDecider, [hired, left]).when(terminate).thenNothing();
    given(personDecider, [hired, gone])
      .when({ ...terminate, at: '2025-01-01T00:00:00.000Z' })
      .then(left);
  });

  it('comes back, also when the HRIS calls it a hire', () => {
    const back: PersonEvent = { type: 'PersonRehired', data: { person, ...job, mapping: null, effectiveOn } };
    given(personDecider, [hired, left]).when({ type: 'RehirePerson', at, data: { person, ...job } }).then(back);
    given(personDecider, [hired, left]).when(hire).then(back);
  });

  it('has facts in whatever order they come: before the hire, and before a newer one', () => {
    given(personDecider).when(promote).then({ ...promoted, data: { ...promoted.data, previousRole: '' } });
    given(personDecider).when(terminate).then({ ...left, data: { person, effectiveOn } });
    given(personDecider, [hired, promoted])
      .when({ ...promote, at: '2024-01-01T00:00:00.000Z', data: { person, jobTitle: 'Senior Engineer', role: 'senior-engineer' } })
      .then({
        type: 'RoleChanged',
        data: {
          person,
          jobTitle: 'Senior Engineer',
          role: 'senior-engineer',
          mapping: null,
          previousRole: 'engineer',
          effectiveOn: '2024-01-01',
        },
      });
  });

  it('has a name and an address that can be corrected, alone or together', () => {
    const name = { given: 'Georgi', family: 'Facello' };
    given(personDecider, [hired])
      .when({ type: 'CorrectProfile', at, data: { person, name } })
      .then({ type: 'ProfileCorrected', data: { person, name, email: null } });
    given(personDecider, [hired]).when({ type: 'CorrectProfile', at, data: { person } }).thenNothing();
  });

  it('does nothing twice, whatever was said before', () => {
    const day = fc.integer({ min: 1, max: 9 }).map((n) => `2026-03-0${n}T00:00:00.000Z`);
    const title = fc.constantFrom('engineer', 'leader').map((role) => ({ jobTitle: role, role }));
    const place = fc.constantFrom({ orgUnit: 'a' }, { orgUnit: 'b', manager });
    const command: fc.Arbitrary<PersonCommand> = fc.oneof(
      fc.tuple(day, title, place).map(([at, ...more]) => ({ type: 'HirePerson' as const, at, data: Object.assign({ person, employeeNumber: '1' }, ...more) as never })),
      fc.tuple(day, title, place).map(([at, ...more]) => ({ type: 'RehirePerson' as const, at, data: Object.assign({ person }, ...more) as never })),
      fc.tuple(day, title).map(([at, each]) => ({ type: 'ChangeRole' as const, at, data: { person, ...each } })),
      fc.tuple(day, place).map(([at, each]) => ({ type: 'TransferPerson' as const, at, data: { person, ...each } })),
      day.map((at) => ({ type: 'TerminatePerson' as const, at, data: { person } })),
    );
    fc.assert(
      fc.property(fc.array(command, { maxLength: 12 }), (commands) => {
        const history: PersonEvent[] = [];
        for (const each of commands) {
          try {
            history.push(...personDecider.decide(each, foldEvents(personDecider, history)));
          } catch (error) {
            expect(error).toMatchObject({ code: 'person-already-hired' });
            continue;
          }
          expect(personDecider.decide(each, foldEvents(personDecider, history))).toEqual([]);
        }
      }),
      { numRuns: 1_000 },
    );
  });
}); // prettier-ignore

describe('the role of a job title', () => {
  it.each([
    ['Technique Leader', 'technique-leader'],
    ['  Senior  Engineer (R&D) ', 'senior-engineer-r-d'],
    ['Chargé de clientèle', 'charge-de-clientele'],
    ['工程师', 'unmapped'],
  ])('%s -> %s', (title, role) => expect(roleOfJobTitle(title)).toBe(role));
});
