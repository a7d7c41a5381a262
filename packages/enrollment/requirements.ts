import { addDays, type Dated, datedOn } from '../eventsourcing';
import type { Audience, AssignmentRulePublished, Due, Recertification } from './enrollment.events';

/** A value that holds from a day on, and the id of the event that said so. */
export interface Fact<V> extends Dated<V> {
  readonly cause: string;
}

/** What rules look at of one person, each list in the order of days. */
export interface PersonHistory {
  readonly person: string;
  readonly employed: readonly Fact<boolean>[];
  readonly role: readonly Fact<string>[];
  readonly orgUnit: readonly Fact<string>[];
}

/** A version of a rule; null from the day on which it was retired. */
export type RuleVersion = Pick<
  AssignmentRulePublished['data'],
  'version' | 'audience' | 'courses' | 'due' | 'recertification'
> | null;

/** Days over which a rule requires a course of a person: `from` inclusive, `until` exclusive and null while there is no end. */
export interface Period {
  readonly from: string;
  readonly until: string | null;
  /** The version that began it; later ones that still require the course change nothing about it. */
  readonly ruleVersion: number;
  /** Id of the event that brought the rule to bear, and of the one that ended it. */
  readonly cause: string;
  readonly endCause: string | null;
  readonly dueOn: string | null;
  readonly recertification: Recertification | null;
}

/** How things stood on a day: what each list says, and by which event. */
interface Standing {
  readonly employed: Fact<boolean> | undefined;
  readonly role: Fact<string> | undefined;
  readonly orgUnit: Fact<string> | undefined;
  readonly rule: Fact<RuleVersion> | undefined;
}

/**
 * What a rule requires of a person, course by course, over all time: from both histories alone, so that it is the same in
 * whatever order they became known.
 */
export function requirementsOf(
  history: PersonHistory,
  rule: readonly Fact<RuleVersion>[],
): ReadonlyMap<string, readonly Period[]> {
  const periods = new Map<string, Period[]>();
  const open = new Map<string, Period>();
  let before: Standing = { employed: undefined, role: undefined, orgUnit: undefined, rule: undefined };
  for (const day of daysOf(history, rule)) {
    const now: Standing = {
      employed: datedOn(history.employed, day),
      role: datedOn(history.role, day),
      orgUnit: datedOn(history.orgUnit, day),
      rule: datedOn(rule, day),
    };
    const required = coursesOf(now);
    for (const [course, period] of open) {
      if (required.includes(course)) continue;
      open.delete(course);
      const ended = {
        ...period,
        until: day,
        endCause: causeOf(before, now, (standing) => !coursesOf(standing).includes(course)),
      };
      periods.set(course, [...(periods.get(course) ?? []), ended]);
    }
    for (const course of required) {
      if (open.has(course)) continue;
      const { version, due, recertification } = now.rule!.value!;
      const cause = causeOf(before, now, (standing) => coursesOf(standing).includes(course));
      const dueOn = due && dueDay(due, day);
      open.set(course, { from: day, until: null, ruleVersion: version, cause, endCause: null, dueOn, recertification });
    }
    before = now;
  }
  for (const [course, period] of open) periods.set(course, [...(periods.get(course) ?? []), period]);
  return periods;
}

function daysOf({ employed, role, orgUnit }: PersonHistory, rule: readonly Fact<unknown>[]): readonly string[] {
  return [...new Set([...employed, ...role, ...orgUnit, ...rule].map(({ on }) => on))].sort();
}

function coursesOf({ employed, role, orgUnit, rule }: Standing): readonly string[] {
  if (!employed?.value || !rule?.value) return [];
  return isFor(rule.value.audience, role?.value, orgUnit?.value) ? rule.value.courses : [];
}

function isFor(audience: Audience, role: string | undefined, orgUnit: string | undefined): boolean {
  if ('everyone' in audience) return true;
  const fits = (wanted: readonly string[] | null, value: string | undefined): boolean =>
    wanted === null || (value !== undefined && wanted.includes(value));
  return audience.anyOf.some(({ roles, orgUnits }) => fits(roles, role) && fits(orgUnits, orgUnit));
}

/** Which of the changes between two standings was the one that mattered: the first that is enough, else the last that is needed. */
function causeOf(before: Standing, now: Standing, holds: (standing: Standing) => boolean): string {
  const parts = ['employed', 'role', 'orgUnit', 'rule'] as const;
  const changed = parts.filter((part) => before[part]?.cause !== now[part]?.cause);
  const enough = changed.find((part) => holds({ ...before, [part]: now[part] }));
  return now[enough ?? changed[changed.length - 1]!]!.cause;
}

function dueDay(due: Due, from: string): string {
  return due.kind === 'on' ? due.date : addDays(from, due.days);
}
