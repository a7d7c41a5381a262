import { given } from '../eventsourcing/testing';
import { personDecider, personIdOf } from './person.decider';
import type { PersonEvent, PersonHired } from './person.events';
import { roleOfJobTitle } from './roles';

const at = '2026-03-01T00:00:00.000Z';
const effectiveOn = '2026-03-01';
const person = personIdOf('acme', '10001');
const manager = personIdOf('acme', '10002');

const job = { employeeNumber: '10001', jobTitle: 'Engineer', role: 'engineer', orgUnit: 'd005', manager };
const hired: PersonHired = {
  type: 'PersonHired',
  data: { person, ...job, name: null, email: null, effectiveOn: '2020-01-01' },
};
const left: PersonEvent = { type: 'PersonTerminated', data: { person, effectiveOn: '2025-01-01' } };

describe('a person', () => {
  it('is hired', () => {
    given(personDecider)
      .when({ type: 'HirePerson', at, data: { person, ...job } })
      .then({ ...hired, data: { ...hired.data, effectiveOn } });
  });

  it('is not hired twice with other facts', () => {
    given(personDecider, [hired])
      .when({ type: 'HirePerson', at, data: { person, ...job, orgUnit: 'd004' } })
      .thenRefused('person-already-hired');
  });

  it('is not their own manager', () => {
    given(personDecider)
      .when({ type: 'HirePerson', at, data: { person, ...job, manager: person } })
      .thenRefused('own-manager');
    given(personDecider, [hired])
      .when({ type: 'TransferPerson', at, data: { person, orgUnit: 'd005', manager: person } })
      .thenRefused('own-manager');
  });

  it('is promoted', () => {
    given(personDecider, [hired])
      .when({ type: 'ChangeRole', at, data: { person, jobTitle: 'Technique Leader', role: 'technique-leader' } })
      .then({
        type: 'RoleChanged',
        data: { person, jobTitle: 'Technique Leader', role: 'technique-leader', previousRole: 'engineer', effectiveOn },
      });
  });

  it('moves to another unit, and to the top', () => {
    given(personDecider, [hired])
      .when({ type: 'TransferPerson', at, data: { person, orgUnit: 'd004' } })
      .then({ type: 'PersonTransferred', data: { person, orgUnit: 'd004', manager: null, effectiveOn } });
  });

  it('leaves', () => {
    given(personDecider, [hired])
      .when({ type: 'TerminatePerson', at, data: { person } })
      .then({ type: 'PersonTerminated', data: { person, effectiveOn } });
  });

  it('who was never hired has no history to change', () => {
    const nobody = given(personDecider);
    nobody.when({ type: 'ChangeRole', at, data: { person, jobTitle: 'x', role: 'x' } }).thenRefused('person-unknown');
    nobody.when({ type: 'TransferPerson', at, data: { person, orgUnit: 'x' } }).thenRefused('person-unknown');
    nobody.when({ type: 'TerminatePerson', at, data: { person } }).thenRefused('person-unknown');
  });

  it('who has left does nothing more', () => {
    const gone = given(personDecider, [hired, left]);
    gone.when({ type: 'ChangeRole', at, data: { person, jobTitle: 'x', role: 'x' } }).thenRefused('person-terminated');
    gone.when({ type: 'TransferPerson', at, data: { person, orgUnit: 'x' } }).thenRefused('person-terminated');
    gone.when({ type: 'HirePerson', at, data: { person, ...job } }).thenRefused('person-terminated');
    gone.when({ type: 'TerminatePerson', at, data: { person } }).thenNothing();
  });
});

describe('the role of a job title', () => {
  it.each([
    ['Technique Leader', 'technique-leader'],
    ['  Senior  Engineer (R&D) ', 'senior-engineer-r-d'],
    ['Chargé de clientèle', 'charge-de-clientele'],
    ['工程师', 'unmapped'],
  ])('%s -> %s', (title, role) => expect(roleOfJobTitle(title)).toBe(role));
});
