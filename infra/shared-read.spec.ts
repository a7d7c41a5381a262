import { SharedRead } from './shared-read';

it('reads once for all who ask meanwhile, and never gives what was read before somebody asked', async () => {
  const ends: ((value: number) => void)[] = [];
  const shared = new SharedRead(() => new Promise<number>((resolve) => ends.push(resolve)));
  const first = shared.ask();
  const meanwhile = [shared.ask(), shared.ask()];
  expect(ends).toHaveLength(1);
  ends[0]!(1);
  expect(await first).toBe(1);
  while (ends.length < 2) await Promise.resolve();
  const late = shared.ask();
  ends[1]!(2);
  expect(await Promise.all(meanwhile)).toEqual([2, 2]);
  while (ends.length < 3) await Promise.resolve();
  ends[2]!(3);
  expect(await late).toBe(3);
});

it('reads again after a read that failed', async () => {
  let reads = 0;
  const shared = new SharedRead(() => (++reads === 1 ? Promise.reject(new Error('away')) : Promise.resolve(reads)));
  const [first, second] = [shared.ask(), shared.ask()];
  await expect(first).rejects.toThrow('away');
  expect(await second).toBe(2);
});
