import type { Claim } from './reporting-lines.events';

/** One person in the tree. */
export interface Line {
  /** All that the HRIS said of whom they report to, in the order of days. */
  readonly claims: readonly Claim[];
  /** Whom they report to now. */
  readonly manager: string | null;
  /** How many people report to them. */
  readonly reports: number;
  /** The day on which they left; null while they work here. */
  readonly leftOn: string | null;
  /** Their newest claim is the one that gives way in a circle. */
  readonly isRefused: boolean;
}

type By<T> = Readonly<Record<string, T>>;
/** People by the first three digits of their ids, so that a change of one copies little however many there are. */
type People = By<By<By<By<Line>>>>;

/** Everybody of a tenant. */
export interface ReportingTree {
  readonly people: People;
  /** Whose newest claim is refused. */
  readonly refused: readonly string[];
}

export const EMPTY_TREE: ReportingTree = { people: {}, refused: [] };

/** Somebody of whom nothing is known: the HRIS may name a manager before it tells of them. */
const STRANGER: Line = { claims: [], manager: null, reports: 0, leftOn: null, isRefused: false };

export function lineOf({ people }: ReportingTree, person: string): Line {
  const [a, b, c] = person as unknown as [string, string, string];
  const found = people[a]?.[b]?.[c];
  return (found && Object.hasOwn(found, person) && found[person]) || STRANGER;
}

/** The tree with some of a person's line changed; the counts of reports follow. */
export function withLine(tree: ReportingTree, person: string, change: Partial<Line>): ReportingTree {
  const before = lineOf(tree, person);
  const manager = change.manager === undefined ? before.manager : change.manager;
  let people = withChange(tree, person, change);
  if (manager !== before.manager) {
    people = counted(counted(people, before.manager, -1), manager, 1);
  }
  const isRefused = change.isRefused ?? before.isRefused;
  if (isRefused === before.isRefused) return people;
  const others = people.refused.filter((each) => each !== person);
  return { ...people, refused: isRefused ? [...others, person].sort() : others };
}

function counted(tree: ReportingTree, manager: string | null, change: number): ReportingTree {
  return manager === null ? tree : withChange(tree, manager, { reports: lineOf(tree, manager).reports + change });
}

function withChange(tree: ReportingTree, person: string, change: Partial<Line>): ReportingTree {
  const [a, b, c] = person as unknown as [string, string, string];
  const inA = tree.people[a] ?? {};
  const inB = inA[b] ?? {};
  const changed = { ...inB[c], [person]: { ...lineOf(tree, person), ...change } };
  return { ...tree, people: { ...tree.people, [a]: { ...inA, [b]: { ...inB, [c]: changed } } } };
}

/** Everybody who reports to this manager. Looks at all. */
export function reportsOf({ people }: ReportingTree, manager: string): string[] {
  return Object.values(people)
    .flatMap((inA) => Object.values(inA))
    .flatMap((inB) => Object.values(inB))
    .flatMap((found) => Object.entries(found))
    .filter(([, line]) => line.manager === manager)
    .map(([person]) => person)
    .sort();
}

/** The first from this manager up who has not left. */
export function activeFrom(tree: ReportingTree, manager: string | null): string | null {
  let up = manager;
  const seen = new Set<string>();
  while (up !== null && lineOf(tree, up).leftOn !== null) {
    if (seen.has(up)) return null;
    seen.add(up);
    up = lineOf(tree, up).manager;
  }
  return up;
}

/** The way up from a manager to this person, both included; undefined when they are not above. */
export function pathUp(tree: ReportingTree, manager: string | null, person: string): readonly string[] | undefined {
  const path: string[] = [];
  for (let up = manager; up !== null && !path.includes(up); up = lineOf(tree, up).manager) {
    path.push(up);
    if (up === person) return path;
  }
  return undefined;
}

/** The circle of newest claims that a person stands in, from their manager round to themselves; undefined when there is none. */
export function circleOf(tree: ReportingTree, person: string): readonly string[] | undefined {
  const circle: string[] = [];
  for (let up = newestClaim(tree, person)?.manager; up != null; up = newestClaim(tree, up)?.manager) {
    if (circle.includes(up)) return undefined; // a circle further up, which is not theirs
    circle.push(up);
    if (up === person) return circle;
  }
  return undefined;
}

/**
 * Who gives way in a circle: whoever's claim is the newest, since until then it was none. So the same claims end in the same
 * tree, in whatever order they arrive.
 */
export function loserOf(tree: ReportingTree, circle: readonly string[]): string {
  const rank = (person: string): string => `${newestClaim(tree, person)!.from}${person}`;
  return circle.reduce((loser, person) => (rank(person) > rank(loser) ? person : loser));
}

export function newestClaim(tree: ReportingTree, person: string): Claim | undefined {
  return lineOf(tree, person).claims.at(-1);
}
