import { addDays } from '../eventsourcing';
import type { Recertification, Validity } from './enrollment.events';

export interface Certificate {
  /** Last day on which it counts. ISO 8601 date. */
  readonly expiresOn: string;
  /** From this day on a renewal may be earned; null when no rule asks for one. */
  readonly renewalOpensOn: string | null;
}

/**
 * The certificate that a completion earns; null when a pass is good for ever.
 * @param completedOn ISO 8601 date
 * @param previousExpiresOn expiry of the certificate before, also of one that has expired; null for a first one
 * @param policy how a rule wants it kept up; null when none does
 */
export function certificateOf(
  validity: Validity,
  completedOn: string,
  previousExpiresOn: string | null,
  policy: Recertification | null,
): Certificate | null {
  if (validity.kind === 'unlimited') return null;
  const expiresOn = expiryOf(validity, completedOn, previousExpiresOn, policy);
  return { expiresOn, renewalOpensOn: policy && addDays(expiresOn, -policy.opensDaysBefore) };
}

type Limited = Exclude<Validity, { kind: 'unlimited' }>;

function expiryOf(
  validity: Limited,
  completedOn: string,
  previousExpiresOn: string | null,
  policy: Recertification | null,
): string {
  if (previousExpiresOn === null || policy === null) {
    const expiresOn = expiryAfter(validity, completedOn);
    const isAligned = validity.kind === 'yearly' && policy !== null;
    const isTooShort = isAligned && expiresOn <= addDays(completedOn, policy.alignsNewHiresWithinDays);
    return isTooShort ? expiryAfter(validity, expiresOn) : expiresOn;
  }
  const countsFrom = completedOn <= previousExpiresOn ? policy.renewsFrom : policy.lateRenewsFrom;
  if (countsFrom === 'completion') return expiryAfter(validity, completedOn);
  let expiresOn = expiryAfter(validity, previousExpiresOn);
  while (expiresOn < completedOn) expiresOn = expiryAfter(validity, expiresOn);
  return expiresOn;
}

/** Later than `day` by the validity, always. */
function expiryAfter(validity: Limited, day: string): string {
  if (validity.kind === 'days') return addDays(day, validity.days);
  const year = Number(day.slice(0, 4));
  const thisYear = dayOfYear(year, validity.on);
  return thisYear > day ? thisYear : dayOfYear(year + 1, validity.on);
}

/** `02-29` is the 28th in years that do not have it. @param on `MM-DD` */
function dayOfYear(year: number, on: string): string {
  const isLeap = new Date(Date.UTC(year, 1, 29)).getUTCMonth() === 1;
  return `${year}-${on === '02-29' && !isLeap ? '02-28' : on}`;
}
