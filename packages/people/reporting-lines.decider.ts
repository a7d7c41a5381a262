import { isDeepStrictEqual } from 'node:util';
import { type Command, dayOf, type Decider, startOf, unreachable } from '../eventsourcing';
import type { Claim, ReportingLineReason, ReportingLinesEvent } from './reporting-lines.events';
import {
  activeFrom,
  circleOf,
  EMPTY_TREE,
  lineOf,
  loserOf,
  newestClaim,
  pathUp,
  type ReportingTree,
  reportsOf,
  withLine,
} from './reporting-tree';

/** The one tree of a tenant. */
export const REPORTING_LINES = 'tree';

export interface ReportingLinesCommandData {
  /** All claims of the HRIS about one person, in the order of days. */
  PlaceInReportingLine: { person: string; claims: readonly Claim[] };
  LeaveReportingLine: { person: string; cause: string };
  RejoinReportingLine: { person: string; cause: string };
}

export type ReportingLinesCommand = {
  [Type in keyof ReportingLinesCommandData]: Command<Type, ReportingLinesCommandData[Type]>;
}[keyof ReportingLinesCommandData];

function decide(command: ReportingLinesCommand, tree: ReportingTree): readonly ReportingLinesEvent[] {
  const { person } = command.data;
  const { leftOn, manager, reports } = lineOf(tree, person);
  switch (command.type) {
    case 'PlaceInReportingLine':
      return place(person, command.data.claims, tree);
    case 'LeaveReportingLine': {
      if (leftOn !== null) return [];
      const { cause } = command.data;
      const effectiveOn = dayOf(command.at);
      const left: ReportingLinesEvent = { type: 'ReportingLineLeft', data: { person, cause, effectiveOn } };
      if (reports === 0) return [left];
      const reason = { kind: 'manager-left', former: person, cause } as const;
      const moved = { people: reportsOf(tree, person), manager: activeFrom(tree, manager), reason, effectiveOn };
      return [left, { type: 'ReportingLineChanged', data: moved }];
    }
    case 'RejoinReportingLine': {
      if (leftOn === null) return [];
      const data = { person, cause: command.data.cause, effectiveOn: dayOf(command.at) };
      return [{ type: 'ReportingLineRejoined', data }];
    }
    default:
      return unreachable(command);
  }
}

/**
 * Tells a person's claims once more from the first day on that is other than was known, and settles what that does to circles: whose
 * newest claim has to give way now, and whose no longer has to.
 */
function place(person: string, claims: readonly Claim[], tree: ReportingTree): readonly ReportingLinesEvent[] {
  const from = firstDifference(claims, lineOf(tree, person).claims);
  const newest = claims.at(-1);
  if (from === undefined || !newest) return [];
  const told: Telling = { events: [], tree };
  const claimed = withLine(tree, person, { claims });
  const circle = circleOf(claimed, person);
  const loser = circle && loserOf(claimed, circle);
  if (loser === person) refuse(told, person, claims, circle!);
  else {
    if (loser !== undefined && !lineOf(tree, loser).isRefused) {
      refuse(told, loser, lineOf(tree, loser).claims, circleOf(claimed, loser)!);
    }
    const again = toldAgain(claims, from);
    for (const { claim, on } of again.slice(0, -1)) tell(told, person, claim, claim.manager, on);
    const { claim, on } = again.at(-1)!;
    present(told, person, claim, on);
  }
  for (const other of tree.refused) {
    const rest = circleOf(told.tree, other);
    if (other === person || (rest && loserOf(told.tree, rest) === other)) continue;
    const claim = newestClaim(told.tree, other)!;
    present(told, other, claim, claim.from > newest.from ? claim.from : newest.from);
  }
  return told.events;
}

/** Events so far, and the tree with them. */
interface Telling {
  events: ReportingLinesEvent[];
  tree: ReportingTree;
}

function add(told: Telling, event: ReportingLinesEvent): void {
  told.events.push(event);
  told.tree = evolve(told.tree, event);
}

function tell(told: Telling, person: string, claim: Claim, manager: string | null, effectiveOn: string): void {
  const reason = { kind: 'hr', claimed: claim.manager, cause: claim.cause, from: claim.from } as const;
  add(told, changed(person, manager, reason, effectiveOn));
}

/** The claim that counts now: under the next manager up, from the day on which its own has left. */
function present(told: Telling, person: string, claim: Claim, from: string): void {
  clearTheWay(told, person, claim.manager, from);
  const manager = activeFrom(told.tree, claim.manager);
  const leftOn = claim.manager === null ? null : lineOf(told.tree, claim.manager).leftOn;
  if (leftOn !== null && leftOn > from) tell(told, person, claim, claim.manager, from);
  tell(told, person, claim, manager, leftOn !== null && leftOn > from ? leftOn : from);
}

/** Whoever is refused stays where they were: under the newest of their earlier managers who is not below them, or at the top. */
function refuse(told: Telling, person: string, claims: readonly Claim[], path: readonly string[]): void {
  const { from: effectiveOn, manager, cause } = claims.at(-1)!;
  const data = { person, claimed: manager!, path, claims, cause, effectiveOn };
  add(told, { type: 'ReportingLineRefused', data, at: startOf(effectiveOn) });
  const earlier = claims.slice(0, -1).reverse();
  const managers = earlier.map((claim) => activeFrom(told.tree, claim.manager));
  const fallback = managers.find((each) => !pathUp(told.tree, each, person)) ?? null;
  if (fallback === lineOf(told.tree, person).manager) return;
  add(told, changed(person, fallback, { kind: 'circle', cause }, effectiveOn));
}

/**
 * Whoever stayed under somebody other than they claim, refused or since their own manager had left, may stand between a person and
 * themselves now: they go to the top, or where they claim.
 */
function clearTheWay(told: Telling, person: string, manager: string | null, on: string): void {
  for (let path = pathUp(told.tree, manager, person); path; path = pathUp(told.tree, manager, person)) {
    const onTheWay = path.flatMap((each) => [each, ...passedOver(told.tree, each)]);
    const strays = onTheWay.filter((each) => each !== person && isStray(told.tree, each));
    const stray = strays.find((each) => lineOf(told.tree, each).isRefused) ?? strays[0];
    if (stray === undefined) return;
    const claim = newestClaim(told.tree, stray)!;
    if (lineOf(told.tree, stray).isRefused) add(told, changed(stray, null, { kind: 'circle', cause: claim.cause }, on));
    else tell(told, stray, claim, activeFrom(told.tree, claim.manager), on);
  }
}

/** Those who have left between somebody and whom they report to. */
function passedOver(tree: ReportingTree, person: string): readonly string[] {
  const left: string[] = [];
  let up = newestClaim(tree, person)?.manager ?? null;
  while (up !== null && lineOf(tree, up).leftOn !== null && !left.includes(up)) {
    left.push(up);
    up = lineOf(tree, up).manager;
  }
  return left;
}

function isStray(tree: ReportingTree, person: string): boolean {
  const { manager, claims, isRefused } = lineOf(tree, person);
  const claim = claims.at(-1);
  return claim !== undefined && manager !== (isRefused ? null : activeFrom(tree, claim.manager));
}

function changed(
  person: string,
  manager: string | null,
  reason: ReportingLineReason,
  effectiveOn: string,
): ReportingLinesEvent {
  const data = { people: [person], manager, reason, effectiveOn };
  return { type: 'ReportingLineChanged', data, at: startOf(effectiveOn) };
}

/** The first day from which on two lists of claims differ; undefined when they are the same. */
function firstDifference(claims: readonly Claim[], known: readonly Claim[]): string | undefined {
  for (let index = 0; index < Math.max(claims.length, known.length); index++) {
    if (isDeepStrictEqual(claims[index], known[index])) continue;
    return [claims[index]?.from, known[index]?.from].filter((day) => day !== undefined).sort()[0];
  }
  return undefined;
}

/**
 * The claims from a day on, each with the day from which it is told. Where one that was known falls away, what held before that day goes
 * on; where nothing did, what comes next is taken to have held.
 */
function toldAgain(claims: readonly Claim[], from: string): readonly { claim: Claim; on: string }[] {
  const later = claims.filter((claim) => claim.from >= from).map((claim) => ({ claim, on: claim.from }));
  if (later[0]?.on === from) return later;
  const before = claims.findLast((claim) => claim.from < from);
  return before ? [{ claim: before, on: from }, ...later] : [{ ...later[0]!, on: from }, ...later.slice(1)];
}

function evolve(tree: ReportingTree, event: ReportingLinesEvent): ReportingTree {
  switch (event.type) {
    case 'ReportingLineChanged': {
      const { people, manager, reason, effectiveOn } = event.data;
      return people.reduce((changing, person) => {
        if (reason.kind !== 'hr') return withLine(changing, person, { manager });
        const claims = withClaim(lineOf(changing, person).claims, effectiveOn, reason);
        return withLine(changing, person, { manager, claims, isRefused: false });
      }, tree);
    }
    case 'ReportingLineRefused':
      return withLine(tree, event.data.person, { claims: event.data.claims, isRefused: true });
    case 'ReportingLineLeft':
      return withLine(tree, event.data.person, { leftOn: event.data.effectiveOn });
    case 'ReportingLineRejoined':
      return withLine(tree, event.data.person, { leftOn: null });
    default:
      return unreachable(event);
  }
}

/** The claims with one that is told: what was known later than the day of the event falls away. */
function withClaim(
  claims: readonly Claim[],
  effectiveOn: string,
  { claimed, cause, from }: Extract<ReportingLineReason, { kind: 'hr' }>,
): readonly Claim[] {
  const earlier = claims.filter((claim) => claim.from < effectiveOn && claim.from !== from);
  return [...earlier, { from, manager: claimed, cause }].sort((a, b) => (a.from < b.from ? -1 : 1));
}

export const reportingLinesDecider: Decider<ReportingTree, ReportingLinesCommand, ReportingLinesEvent> = {
  category: 'reportinglines',
  initialState: EMPTY_TREE,
  id: () => REPORTING_LINES,
  decide,
  evolve,
};
