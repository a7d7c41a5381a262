import { BusyError } from '../shared/problems';
import { ReportQueue } from './report-queue';

/** Work that ends when it is told to; keeps the order in which it began. */
class Works {
  readonly begun: string[] = [];
  private readonly ends = new Map<string, () => void>();

  of(name: string): () => Promise<string> {
    return () => {
      this.begun.push(name);
      return new Promise((resolve) => this.ends.set(name, () => resolve(`answer to ${name}`)));
    };
  }

  end(name: string): void {
    this.ends.get(name)!();
  }
}

async function endInOrder(works: Works, answers: readonly Promise<string>[]): Promise<void> {
  const answered = Promise.all(answers);
  for (let ended = 0; ended < answers.length; ended++) {
    while (works.begun.length <= ended) await Promise.resolve();
    works.end(works.begun[ended]!);
  }
  await answered;
}

it('runs so many at a time, and the callers take turns', async () => {
  const queue = new ReportQueue({ running: 1, waiting: 10 });
  const works = new Works();
  const ask = (caller: string, name: string) => queue.answer(caller, name, works.of(name));
  const eager = ['e1', 'e2', 'e3', 'e4'].map((name) => ask('eager', name));
  const others = [ask('mia', 'm1'), ask('max', 'x1'), ask('mia', 'm2')];
  await Promise.resolve();
  expect(works.begun).toEqual(['e1']);
  await endInOrder(works, [...eager, ...others]);
  expect(works.begun).toEqual(['e1', 'e2', 'm1', 'x1', 'e3', 'm2', 'e4']);
});

it('answers what is asked while the same is under way once, and asks anew afterwards', async () => {
  const queue = new ReportQueue({ running: 1, waiting: 10 });
  const works = new Works();
  const same = [1, 2, 3].map((n) => queue.answer(`caller ${n}`, 'team of mia', works.of(`team of mia, ${n}`)));
  await endInOrder(works, [same[0]!]);
  expect(await Promise.all(same)).toEqual(Array(3).fill('answer to team of mia, 1'));
  const later = queue.answer('mia', 'team of mia', works.of('team of mia, later'));
  await Promise.resolve();
  works.end('team of mia, later');
  expect(await later).toBe('answer to team of mia, later');
});

it('refuses more than may wait, and takes them again when there is room', async () => {
  const queue = new ReportQueue({ running: 1, waiting: 1 });
  const works = new Works();
  const ask = (name: string) => queue.answer('mia', name, works.of(name));
  const taken = [ask('first'), ask('second')];
  await expect(ask('third')).rejects.toThrow(BusyError);
  await endInOrder(works, taken);
  const again = ask('third');
  await Promise.resolve();
  works.end('third');
  expect(await again).toBe('answer to third');
});

it('goes on after work that fails, and tells everybody who waited for it', async () => {
  const queue = new ReportQueue({ running: 1, waiting: 10 });
  const fail = () => Promise.reject(new Error('the warehouse is away'));
  const failed = [1, 2].map((n) => queue.answer(`caller ${n}`, 'same', fail));
  for (const each of failed) await expect(each).rejects.toThrow('the warehouse is away');
  expect(await queue.answer('mia', 'other', () => Promise.resolve(1))).toBe(1);
});
