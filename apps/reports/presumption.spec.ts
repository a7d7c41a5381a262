import { Presumption } from './presumption';

/** What is read is a number; work for one holds for another of the same ten. */
function presuming(reads: readonly number[]) {
  const left = [...reads];
  const worked: number[] = [];
  const presumption = new Presumption(
    () => Promise.resolve(left.shift()!),
    (earlier: number, later: number) => Math.trunc(earlier / 10) === Math.trunc(later / 10),
  );
  const answer = () =>
    presumption.answer((known) => {
      worked.push(known);
      return Promise.resolve(`of ${Math.trunc(known / 10)}`);
    });
  return { answer, worked };
}

it('works with what was known last once that has held, and says what is known now', async () => {
  const { answer, worked } = presuming([10, 11, 12]);
  await answer();
  await answer();
  expect(await answer()).toEqual({ known: 12, answer: 'of 1' });
  expect(worked).toEqual([10, 11, 11]);
});

it('works again when that does not hold any more, and reads first until it has held again', async () => {
  const { answer, worked } = presuming([10, 11, 20, 30, 31, 32]);
  await answer();
  await answer();
  expect(await answer()).toEqual({ known: 20, answer: 'of 2' });
  expect(worked).toEqual([10, 11, 11, 20]);
  expect(await answer()).toEqual({ known: 30, answer: 'of 3' });
  await answer();
  expect(worked.slice(4)).toEqual([30, 31]);
  await answer();
  expect(worked.slice(6)).toEqual([31]);
});

it('begins the work before what is known was read', async () => {
  let end: ((known: number) => void) | undefined;
  const reads = [1, 1];
  const presumption = new Presumption<number>(
    () => (reads.length > 0 ? Promise.resolve(reads.pop()!) : new Promise((resolve) => (end = resolve))),
    (earlier, later) => earlier === later,
  );
  const double = (known: number) => Promise.resolve(known * 2);
  await presumption.answer(double);
  await presumption.answer(double);
  const begun: number[] = [];
  const third = presumption.answer((known) => {
    begun.push(known);
    return double(known);
  });
  expect(begun).toEqual([1]);
  end!(2);
  expect(await third).toEqual({ known: 2, answer: 4 });
});

it('fails when either fails, and presumes nothing from a read that failed', async () => {
  let fails = false;
  const presumption = new Presumption<number>(
    () => (fails ? Promise.reject(new Error('away')) : Promise.resolve(1)),
    (earlier, later) => earlier === later,
  );
  const same = (known: number) => Promise.resolve(known);
  await presumption.answer(same);
  await presumption.answer(same);
  fails = true;
  await expect(presumption.answer(same)).rejects.toThrow('away');
  fails = false;
  await expect(presumption.answer(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  expect(await presumption.answer(same)).toEqual({ known: 1, answer: 1 });
});
