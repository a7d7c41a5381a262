import { randomUUID } from 'node:crypto';
import { RecentIds } from './recent-ids';

it('knows the newest ids and forgets the oldest ones first', () => {
  const recent = new RecentIds();
  const ids = Array.from({ length: RecentIds.capacity + 5_000 }, () => randomUUID());
  ids.forEach((id, n) => recent.add(id, { stream: `s-${n % 7}`, revision: n, position: n * 500 }));

  const known = ids.map((id) => recent.get(id));
  expect(known.findIndex((event) => event !== undefined)).toBe(ids.length - RecentIds.capacity);
  const wrong = known.filter(
    (event, n) => event && (event.stream !== `s-${n % 7}` || event.revision !== n || event.position !== n * 500),
  );
  expect(wrong).toEqual([]);
  expect(known.filter((event) => event !== undefined)).toHaveLength(RecentIds.capacity);
});

it('gives the newest event of an id that was written twice', () => {
  const recent = new RecentIds();
  const id = randomUUID();
  recent.add(id, { stream: 'a', revision: 0, position: 64 });
  recent.add(id, { stream: 'b', revision: 3, position: 700 });
  expect(recent.get(id)).toEqual({ stream: 'b', revision: 3, position: 700 });
});
