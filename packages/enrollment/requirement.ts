import { startOf } from '../eventsourcing';
import type { EnrollmentEvent } from './enrollment.events';
import type { Period } from './requirements';
import { type Boundary, firstDifference, type Terms, termsBefore, type Timeline, timelineOf } from './timeline';

interface Standing {
  readonly status: string;
  readonly isOwn: boolean;
  readonly ownDueOn: string | null;
  readonly rules: Readonly<Record<string, Timeline>>;
  readonly certificate: unknown;
}

/** Statuses that no rule takes away. A requirement that begins enrols anew after a failure or an expiry, but not after these. */
const EARNED = ['completed', 'exempted'];
const OVER = [...EARNED, 'failed', 'expired'];

interface Step extends Boundary {
  readonly rule: string;
}

/**
 * What follows when a rule requires the course over these periods, and no others. HR facts come late and in any order, so that the past can
 * change: from the first day that is other than was known, the boundaries of all rules are told once more, in the order of
 * days, because of two events the one that was recorded later holds from its day on.
 */
export function decideRequirement(
  enrolled: { enrollment: string; person: string; course: string },
  { rule, periods, cause }: { rule: string; periods: readonly Period[]; cause: string },
  state: Standing,
): readonly EnrollmentEvent[] {
  const timeline = timelineOf(periods);
  const from = firstDifference(state.rules[rule] ?? [], timeline);
  if (from === undefined) return [];
  const rules = { ...state.rules, [rule]: timeline };

  const active = new Map<string, Terms>();
  for (const [name, each] of Object.entries(rules)) {
    const terms = termsBefore(each, from);
    if (terms) active.set(name, terms);
  }
  const isEarned = EARNED.includes(state.status);
  let isOver = OVER.includes(state.status);
  const dueOn = (): string | null => {
    const due = [...active.values()].map((terms) => terms.dueOn);
    if (state.isOwn) due.push(state.ownDueOn);
    return due.filter((day) => day !== null).sort()[0] ?? null;
  };
  const isHeld = (): boolean => state.isOwn || active.size > 0;

  const tell = ({ rule, on, terms, cause }: Step): EnrollmentEvent => {
    const at = startOf(on);
    const wasOpen = isHeld() && !isOver;
    if (terms) {
      active.set(rule, terms);
      if (!isEarned) isOver = false;
      const { ruleVersion, recertification } = terms;
      const reason = { kind: 'rule', rule, ruleVersion, cause } as const;
      const asked = { ...enrolled, reason, dueOn: dueOn(), ruleDueOn: terms.dueOn, recertification, effectiveOn: on };
      if (!wasOpen && !isOver) return { type: 'LearnerEnrolled', data: asked, at };
      return { type: 'RequirementAdded', data: { ...asked, open: !isOver }, at };
    }
    active.delete(rule);
    if (!isHeld() && !isOver) {
      const reason = { kind: 'not-required', rule, cause } as const;
      return {
        type: 'LearnerWithdrawn',
        data: { ...enrolled, reason, certified: state.certificate !== null, effectiveOn: on },
        at,
      };
    }
    return {
      type: 'RequirementEnded',
      data: { ...enrolled, rule, cause, dueOn: dueOn(), open: !isOver, effectiveOn: on },
      at,
    };
  };
  return stepsFrom(from, rules, { rule, cause }).map(tell);
}

/** The boundaries from a day on: on one day what begins before what ceases, so that nobody loses for a moment what goes on. */
function stepsFrom(
  from: string,
  rules: Readonly<Record<string, Timeline>>,
  changed: { readonly rule: string; readonly cause: string },
): readonly Step[] {
  const steps = Object.entries(rules).flatMap(([rule, timeline]) =>
    timeline.filter(({ on }) => on >= from).map((boundary) => ({ ...boundary, rule })),
  );
  if (!steps.some(({ rule, on }) => rule === changed.rule && on === from)) {
    // A boundary that was known falls away: what held before that day goes on.
    steps.push({ on: from, terms: termsBefore(rules[changed.rule]!, from), ...changed });
  }
  const rank = ({ on, terms }: Step): string => `${on}${terms ? 0 : 1}`;
  return steps.sort((a, b) => (rank(a) < rank(b) ? -1 : rank(a) > rank(b) ? 1 : 0));
}
