import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StreamHeads } from './head';
import { Store } from './store';
import { Writer } from './writer';

let folder: string;
let store: Store;
let writer: Writer;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attest-store-'));
  store = new Store(join(folder, 'events.mdb'));
  writer = new Writer(store, new StreamHeads(store));
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

const anEvent = (size: number) => ({
  id: randomUUID(),
  type: 'T',
  contentType: 'application/octet-stream',
  customMetadata: Buffer.alloc(0),
  data: Buffer.alloc(size, size % 251),
});

it('reads pages forwards and backwards over the gaps that a scavenge leaves', async () => {
  const sizes = Array.from({ length: 40 }, (_, n) => (n % 5 === 4 ? 70_000 : n * 17));
  const answers = await Promise.all(sizes.map((size) => writer.append('s', -2, [anEvent(size)])));
  const positions = answers.map((answer) => (answer.kind === 'success' ? answer.position! : NaN));
  const removed = new Set([0, 1, 9, 20, 21, 22]);
  store.remove(positions.filter((_, n) => removed.has(n)));

  const left = positions.filter((_, n) => !removed.has(n));
  const places = (...page: Parameters<Store['page']>) => store.page(...page).map(({ position }) => position);
  expect(places(0, 100, 10_000_000)).toEqual(left);
  expect(places(2 ** 40, 100, 10_000_000, true)).toEqual(left.toReversed());
  expect(places(positions[20]! + 1, 2, 10_000_000)).toEqual(positions.slice(23, 25));
  // The event that goes beyond the bytes asked for is the last one.
  expect(places(0, 100, 80_000)).toEqual(left.slice(0, left.indexOf(positions[14]!) + 1));
  expect(places(positions[39]! + 1, 100, 10_000_000)).toEqual([]);
  const wrong = store.page(0, 100, 10_000_000).filter(({ position, raw }) => !store.record(position)!.equals(raw));
  expect(wrong).toHaveLength(0);
});

it('answers many writers in the order in which they came, whatever groups they were stored in', async () => {
  const order: number[] = [];
  const answers = Array.from({ length: 300 }, async (_, n) => {
    const outcome = await writer.append('s', n - 1, [anEvent(10)]);
    order.push(n);
    return outcome;
  });
  expect((await Promise.all(answers)).map((answer) => answer.kind === 'success' && answer.revision)).toEqual(
    Array.from({ length: 300 }, (_, n) => n),
  );
  expect(order).toEqual(Array.from({ length: 300 }, (_, n) => n));
  await expect(writer.append('s', 0, [anEvent(10)])).resolves.toEqual({ kind: 'wrong-expected-version', current: 299 });
});
