import type { EventStoreDb } from '../../infra/eventstore';

/** Wraps every key of the tenant with the current master key, and has the server remove the old ones from its files. */
export async function rewrapKeys(store: EventStoreDb, tenant: string): Promise<{ readonly rewrapped: number }> {
  const people = new Set<string>();
  for await (const { events, caughtUp } of store.subscribeToAll({ streamPrefix: `${tenant}.person-` })) {
    for (const { data } of events) people.add((data as { person: string }).person);
    if (caughtUp) break;
  }
  let rewrapped = 0;
  for (const person of people) if (await store.keys!.rewrap({ tenant, person })) rewrapped++;
  if (rewrapped > 0) await store.scavenge();
  return { rewrapped };
}
