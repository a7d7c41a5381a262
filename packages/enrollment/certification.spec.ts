import fc from 'fast-check';
import { addDays } from '../eventsourcing';
import { certificateOf } from './certification';
import type { Recertification, Validity } from './enrollment.events';

const year: Validity = { kind: 'days', days: 365 };
const newYearsEve: Validity = { kind: 'yearly', on: '12-31' };
const leapDay: Validity = { kind: 'yearly', on: '02-29' };
const rolling: Recertification = {
  opensDaysBefore: 30,
  renewsFrom: 'completion',
  lateRenewsFrom: 'completion',
  alignsNewHiresWithinDays: 0,
};
const fixed: Recertification = { ...rolling, renewsFrom: 'expiry', lateRenewsFrom: 'expiry' };
const aligned: Recertification = { ...fixed, alignsNewHiresWithinDays: 90 };

it.each<[string, Validity, string, string | null, Recertification | null, string | null]>([
  ['a pass for ever', { kind: 'unlimited' }, '2026-03-01', null, rolling, null],
  ['so many days', year, '2026-03-01', null, null, '2027-03-01'],
  ['so many days over a leap day', year, '2027-03-01', null, null, '2028-02-29'],
  ['a day of the year', newYearsEve, '2026-03-01', null, null, '2026-12-31'],
  ['a day of the year, on that day', newYearsEve, '2026-12-31', null, null, '2027-12-31'],
  ['the leap day, in a year without', leapDay, '2026-03-01', null, null, '2027-02-28'],
  ['the leap day, in a year with', leapDay, '2027-03-01', null, null, '2028-02-29'],
  ['a renewal in time, rolling', year, '2027-02-20', '2027-03-01', rolling, '2028-02-20'],
  ['a renewal in time, fixed', year, '2027-02-20', '2027-03-01', fixed, '2028-02-29'],
  ['a renewal on the last day, fixed', year, '2027-03-01', '2027-03-01', fixed, '2028-02-29'],
  ['a late renewal, rolling', year, '2027-05-01', '2027-03-01', rolling, '2028-04-30'],
  ['a late renewal, fixed', year, '2027-05-01', '2027-03-01', fixed, '2028-02-29'],
  ['a renewal years late, fixed', year, '2029-05-01', '2027-03-01', fixed, '2030-02-28'],
  ['a renewal that nobody asked for', year, '2027-02-20', '2027-03-01', null, '2028-02-20'],
  ['a new hire shortly before the fixed day', newYearsEve, '2026-11-01', null, aligned, '2027-12-31'],
  ['a new hire long before the fixed day', newYearsEve, '2026-06-01', null, aligned, '2026-12-31'],
  ['a new hire without alignment', newYearsEve, '2026-11-01', null, fixed, '2026-12-31'],
])('%s', (_what, validity, completedOn, previous, policy, expiresOn) => {
  expect(certificateOf(validity, completedOn, previous, policy)?.expiresOn ?? null).toBe(expiresOn);
}); // prettier-ignore

it('says from when on it may be renewed, if a rule asks for it', () => {
  expect(certificateOf(year, '2026-03-01', null, rolling)).toEqual({
    expiresOn: '2027-03-01',
    renewalOpensOn: '2027-01-30',
  });
  expect(certificateOf(year, '2026-03-01', null, null)).toEqual({ expiresOn: '2027-03-01', renewalOpensOn: null });
});

it('counts on the day of the completion, always; and no renewal in time is worth less than the certificate before', () => {
  const day = fc.integer({ min: 0, max: 20_000 }).map((n) => addDays('1990-01-01', n));
  const validity = fc.oneof(
    fc.record({ kind: fc.constant('days' as const), days: fc.integer({ min: 1, max: 2_000 }) }),
    fc.record({ kind: fc.constant('yearly' as const), on: fc.constantFrom('01-01', '02-29', '06-30', '12-31') }),
  );
  const policy = fc.constantFrom(null, rolling, fixed, aligned);
  fc.assert(
    fc.property(validity, day, fc.option(day), policy, (each, completedOn, previous, recertification) => {
      const { expiresOn } = certificateOf(each, completedOn, previous, recertification)!;
      expect(expiresOn >= completedOn).toBe(true);
      if (recertification?.renewsFrom === 'expiry' && previous !== null) expect(expiresOn > previous).toBe(true);
    }),
  );
});
