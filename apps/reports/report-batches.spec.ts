import { BusyError } from '../shared/problems';
import { ReportBatches } from './report-batches';
import { ReportQueue } from './report-queue';

it('answers together what managers ask while they wait, each with their own, and other questions apart', async () => {
  const asked: [string, readonly string[]][] = [];
  const ends: (() => void)[] = [];
  const batches = new ReportBatches<{ name: string }, string>(
    new ReportQueue({ running: 1, waiting: 10 }),
    async ({ name }, managers) => {
      asked.push([name, managers]);
      await new Promise<void>((resolve) => ends.push(resolve));
      return new Map(managers.map((manager) => [manager, `${name} of ${manager}`]));
    },
  );
  const ask = (name: string, manager: string) => batches.ask({ name }, manager);
  const first = ask('teams', 'mia');
  while (asked.length < 1) await Promise.resolve();
  const waiting = [ask('teams', 'max'), ask('teams', 'eva'), ask('overdue', 'mia'), ask('teams', 'max')];
  for (let ended = 0; ended < 3; ended++) {
    while (ends.length <= ended) await Promise.resolve();
    ends[ended]!();
  }
  expect(await first).toBe('teams of mia');
  expect(await Promise.all(waiting)).toEqual(['teams of max', 'teams of eva', 'overdue of mia', 'teams of max']);
  expect(asked).toEqual([
    ['teams', ['mia']],
    ['teams', ['max', 'eva']],
    ['overdue', ['mia']],
  ]);
});

it('asks for so many at a time, tells everybody what failed, and begins anew', async () => {
  const sizes: number[] = [];
  const batches = new ReportBatches<object, number>(new ReportQueue({ running: 1, waiting: 1 }), (_, managers) => {
    sizes.push(managers.length);
    if (sizes.length === 1) return Promise.reject(new Error('the warehouse is away'));
    return Promise.resolve(new Map(managers.map((manager) => [manager, Number(manager)])));
  });
  const many = Array.from({ length: 250 }, (_, manager) => batches.ask({}, String(manager)));
  const results = await Promise.allSettled(many);
  const failed = results.map((result) => (result.status === 'rejected' ? (result.reason as Error) : undefined));
  expect(failed.slice(0, 100).every((error) => error?.message === 'the warehouse is away')).toBe(true);
  expect(failed.slice(100, 200).every((error) => error === undefined)).toBe(true);
  expect(failed.slice(200).every((error) => error instanceof BusyError)).toBe(true);
  expect(sizes).toEqual([100, 100]);
  expect(await batches.ask({}, '7')).toBe(7);
});
