import type { AnswerLine } from '../../shared/long-answers';
import { ProblemError } from '../client';
import { withProgress } from './with-progress';

type Line = AnswerLine<string, { readonly bytes: string }>;

const reading = (position: string, doing?: string): Line => ({ progress: { position, head: '200', doing } });
const problem = { type: 'urn:attest:problem:log-altered', title: 'Altered.', status: 409, detail: 'Look.' };

async function* answerOf(...lines: readonly Line[]): AsyncGenerator<Line> {
  for (const line of lines) yield await Promise.resolve(line);
}

let said: string;
beforeEach(() => {
  said = '';
  jest.spyOn(process.stderr, 'write').mockImplementation((text) => Boolean((said += String(text))));
});
afterEach(() => jest.restoreAllMocks());

it('gives the result, with a bar on stderr for what is read and a line for what is done else', async () => {
  const bytes: string[] = [];
  const lines = answerOf(
    reading('100'),
    { bytes: 'ab' },
    reading('200', 'Comparing'),
    reading('200', 'Comparing'),
    reading('50'),
    { result: 'done' },
  );
  expect(await withProgress('Replaying', lines, (line) => bytes.push(line.bytes))).toBe('done');
  expect(bytes).toEqual(['ab']);
  expect(said).toMatch(/^Replaying \[.*\] 50% \| 100\/200 .*\n+Comparing \.\.\.\n+Replaying \[.*\] 25% \| 50\/200/s);
  expect(said.match(/Comparing/g)).toHaveLength(1);
});

it('says nothing of what does not take long', async () => {
  expect(await withProgress('Replaying', answerOf({ result: 'done' }))).toBe('done');
  expect(said).toBe('');
});

it('fails with the problem that the answer ends with, and when it ends without any', async () => {
  await expect(withProgress('Replaying', answerOf(reading('1'), { problem }))).rejects.toThrow(ProblemError);
  await expect(withProgress('Replaying', answerOf(reading('1')))).rejects.toThrow(/"Replaying" had a result/);
});
