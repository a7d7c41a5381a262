import { personIdOf } from '../../packages/people';
import { readHrisFact, UnusableFactError } from './hris-facts';

const event = {
  specversion: '1.0',
  id: 'wd-4711',
  source: 'https://hris.example.com',
  type: 'com.example.person.hired',
  time: '2026-03-01T08:00:00+02:00',
  data: { employeeNumber: '10001', jobTitle: 'Engineer', orgUnit: 'd005', manager: '10002' },
};
const read = (subject: string, message: unknown) => readHrisFact(subject, Buffer.from(JSON.stringify(message)));

describe('an HRIS fact', () => {
  it('names people by employee number, and leaves the role to the mapping of job titles', () => {
    expect(read('hris.acme.person.hired', event)).toEqual({
      tenant: 'acme',
      person: personIdOf('acme', '10001'),
      commandId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      cloudEventId: 'wd-4711',
      type: 'HirePerson',
      data: {
        person: personIdOf('acme', '10001'),
        occurredAt: '2026-03-01T06:00:00.000Z',
        employeeNumber: '10001',
        jobTitle: 'Engineer',
        orgUnit: 'd005',
        manager: personIdOf('acme', '10002'),
      },
    });
  });

  it('takes effect on the day that the data says', () => {
    const data = { employeeNumber: '10001', jobTitle: 'Technique Leader', effectiveOn: '2026-02-01' };
    expect(read('hris.acme.person.role-changed', { ...event, data }).data).toMatchObject({
      occurredAt: '2026-02-01T00:00:00.000Z',
    });
  });

  it.each([
    ['rehired', { employeeNumber: '10001', jobTitle: 'Engineer', orgUnit: 'd005' }, 'RehirePerson'],
    ['role-changed', { employeeNumber: '10001', jobTitle: 'Leader', orgUnit: 'd004', manager: '10002' }, 'ChangeRole'],
    ['transferred', { employeeNumber: '10001', orgUnit: 'd004' }, 'TransferPerson'],
    ['terminated', { employeeNumber: '10001' }, 'TerminatePerson'],
    ['profile-corrected', { employeeNumber: '10001', email: 'g@example.com' }, 'CorrectProfile'],
  ])('%s is a command of its own', (kind, data, type) => {
    const { employeeNumber: _, manager, ...rest } = data as { employeeNumber: string; manager?: string };
    const expected = { ...rest, ...(manager && { manager: personIdOf('acme', manager) }) };
    expect(read(`hris.acme.person.${kind}`, { ...event, data })).toMatchObject({ type, data: expected });
  });

  it('is the same command whenever the same CloudEvent comes again, and another for another source or tenant', () => {
    const first = read('hris.acme.person.hired', event);
    expect(read('hris.acme.person.hired', { ...event, data: { ...event.data, orgUnit: 'd001' } }).commandId).toBe(
      first.commandId,
    );
    expect(read('hris.acme.person.hired', { ...event, source: 'https://other.example.com' }).commandId).not.toBe(
      first.commandId,
    );
    expect(read('hris.globex.person.hired', event).commandId).not.toBe(first.commandId);
  });

  it.each([
    ['hris.acme.person.promoted', event, 'subject'],
    ['hris.ACME.person.hired', event, 'subject'],
    ['hris.acme.person.hired', { ...event, specversion: '0.3' }, 'specversion'],
    ['hris.acme.person.hired', { ...event, id: '' }, 'id'],
    ['hris.acme.person.hired', { ...event, data: 'text' }, 'data'],
    ['hris.acme.person.hired', { ...event, data: { ...event.data, employeeNumber: 10001 } }, 'employeeNumber'],
    ['hris.acme.person.hired', { ...event, data: { ...event.data, orgUnit: undefined } }, 'orgUnit'],
    ['hris.acme.person.hired', { ...event, time: 'yesterday' }, 'time'],
    ['hris.acme.person.hired', { ...event, data: { ...event.data, effectiveOn: '2026-13-01' } }, 'effectiveOn'],
    ['hris.acme.person.transferred', { ...event, data: { employeeNumber: '1' } }, 'orgUnit'],
    ['hris.acme.person.hired', [event], 'CloudEvent'],
  ])('%s with a blemish names it', (subject, message, named) => {
    expect(() => read(subject, message)).toThrow(UnusableFactError);
    expect(() => read(subject, message)).toThrow(named);
  });

  it('that is not JSON or not UTF-8 says so', () => {
    for (const bytes of [Buffer.from('{'), Buffer.from([0xff, 0xfe])]) {
      expect(() => readHrisFact('hris.acme.person.hired', bytes)).toThrow('not JSON');
    }
  });
});
