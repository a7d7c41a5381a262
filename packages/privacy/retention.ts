import { addPeriod } from '../eventsourcing';
import type { RetentionRule } from './retention.decider';
import type { RetentionCategory } from './retention.events';
import type { RetentionGround } from './privacy.events';

/** The events of one category about a person. */
export interface CategoryRecord {
  readonly events: number;
  /** Day of the newest of them in the world, ISO 8601. */
  readonly lastOn: string;
}

/** What bears on how long the name of a person is needed. */
export interface PersonRecord {
  /** Day on which they left; null for who works here, or never did. */
  readonly leftOn: string | null;
  readonly categories: ReadonlyMap<RetentionCategory, CategoryRecord>;
}

/** Whether the name of a person is due to be erased. */
export type Retained =
  /** Nothing needs it from that day on, ISO 8601. */
  | { readonly dueOn: string; readonly grounds: readonly RetentionGround[] }
  /** What needs it without end. */
  | { readonly keptBy: 'has not left' | `no rule for ${RetentionCategory}` };

/**
 * A person's events share one name, so it is needed until the last of their categories needs it no more. A category without a rule
 * needs it without end.
 */
export function retained({ leftOn, categories }: PersonRecord, rules: readonly RetentionRule[]): Retained {
  if (leftOn === null) return { keptBy: 'has not left' };
  const grounds: RetentionGround[] = [];
  for (const [category, { events, lastOn }] of categories) {
    const found = rules.find((rule) => rule.category === category);
    if (!found) return { keptBy: `no rule for ${category}` };
    const { version, keepFor, from } = found;
    const since = from === 'departure' ? leftOn : lastOn;
    grounds.push({ category, events, version, keepFor, from, since, until: addPeriod(since, keepFor) });
  }
  grounds.sort((a, b) => (a.category < b.category ? -1 : 1));
  return {
    dueOn: grounds
      .map(({ until }) => until)
      .sort()
      .at(-1)!,
    grounds,
  };
}

/** The grounds as one sentence. */
export function describeGrounds(grounds: readonly RetentionGround[]): string {
  const each = grounds.map(
    ({ category, version, keepFor, from, since, until }) =>
      `${category} ${keepFor} from ${from} on ${since} until ${until} (rule version ${version})`,
  );
  return `Retention is over: ${each.join('; ')}.`;
}
