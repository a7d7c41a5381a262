import { atOnce } from '../../infra/at-once';
import type { EventStoreDb } from '../../infra/eventstore';
import { readLog } from '../../packages/eventsourcing';
import { personDecider } from '../../packages/people';
import { type Tell, ToldReading } from '../shared/progress';

/** Keys that are wrapped side by side: a key management service answers each in its own time. */
const SIDE_BY_SIDE = 32;

/** Wraps every key of the tenant with the current master key, and has the server remove the old ones from its files. */
export async function rewrapKeys(
  store: EventStoreDb,
  tenant: string,
  tell: Tell,
): Promise<{ readonly rewrapped: number }> {
  const log = new ToldReading(store, tell);
  const seen = new Set<string>();
  let rewrapped = 0;
  for await (const events of readLog(log, `${tenant}.${personDecider.category}-`, (await log.head()) ?? 0n)) {
    const named = new Set(events.map(({ data }) => (data as { person: string }).person));
    const fresh = [...named].filter((person) => !seen.has(person));
    for (const person of fresh) seen.add(person);
    await atOnce(SIDE_BY_SIDE, fresh, async (person) => {
      if (await store.keys!.rewrap({ tenant, person })) rewrapped++;
    });
  }
  log.turnsTo('Removing the old keys from the files');
  if (rewrapped > 0) await store.scavenge();
  return { rewrapped };
}
