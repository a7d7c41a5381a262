import fc from 'fast-check';
import type { AssessmentDefinition, Feedback, Question } from './assessment.events';
import { definitionOf } from './definition';
import { drawForm } from './form';
import { gradeAnswers } from './grading';
import { definitions, seeds } from './testing/arbitraries';
import { firstAid } from './testing/first-aid';
import { type ShownAttempt, viewOf } from './view';

const closesAt = '2026-06-01T00:00:00.000Z';
const before = '2026-05-31T23:59:59.999Z';
const after = '2026-06-01T00:00:00.001Z';
const definition = definitionOf({ ...firstAid, closesAt }, 1);
const form = drawForm(definition, 1);
const grade = { raw: 1, min: 0, max: 20, scaled: 0.05, passed: false };
const started: ShownAttempt = {
  status: 'started',
  form,
  answers: [{ question: 'number', response: 'a' }],
  results: [],
  grade: null,
  invalidation: null,
  closesAt,
};
const ended: ShownAttempt = {
  ...started,
  status: 'ended',
  grade,
  results: [{ question: 'number', points: 1, max: 1, comment: null }],
};
const see = (attempt: ShownAttempt, feedback: Feedback, at: string) =>
  viewOf(attempt, definition, { feedback, closesAt }, at);

describe('a learner', () => {
  it('sees the form as it was drawn, and their own answers', () => {
    const { questions, ...view } = see(started, 'none', before);
    expect(view).toEqual({ title: 'First aid', status: 'started', invalidation: null, closesAt, grade: null });
    expect(questions.map(({ question }) => question)).toEqual(form.map(({ question }) => question));
    const place = form.find(({ question }) => question === 'number')!;
    const texts: Record<string, string> = { a: '112', b: '211', c: '121' };
    expect(questions.find(({ question }) => question === 'number')).toEqual({
      question: 'number',
      kind: 'single-choice',
      text: 'Which number do you call?',
      points: 1,
      options: place.options.map((id) => ({ id, text: texts[id] })),
      prompts: [],
      response: 'a',
    });
  });

  it.each<[string, ShownAttempt, Feedback, string, boolean, boolean]>([
    ['while it is taken', started, 'answers-after-submit', after, false, false],
    ['without feedback', ended, 'none', after, false, false],
    ['with the score only', ended, 'score', after, true, false],
    ['after the submission', ended, 'answers-after-submit', before, true, true],
    ['before the close', ended, 'answers-after-close', before, true, false],
    ['at the close', ended, 'answers-after-close', closesAt, true, false],
    ['after the close', ended, 'answers-after-close', after, true, true],
    ['when it was invalidated', { ...ended, invalidation: 'Copied.' }, 'answers-after-submit', after, false, false],
  ])('%s sees what the policy allows', (_, attempt, feedback, at, score, answers) => {
    const view = see(attempt, feedback, at);
    expect(view.grade).toEqual(score ? grade : null);
    expect(JSON.stringify(view).includes('SECRET')).toBe(answers);
    expect(JSON.stringify(view).includes('"key":')).toBe(answers);
    for (const { feedback: told } of view.questions) expect(told === undefined).toBe(!answers);
  });

  it('sees key, explanation and result once answers are shown', () => {
    const { questions } = see(ended, 'answers-after-submit', before);
    expect(questions.find(({ question }) => question === 'number')?.feedback).toEqual({
      key: 'a',
      explanation: 'SECRET: 112 works all over Europe.',
      result: ended.results[0],
    });
    expect(questions.find(({ question }) => question === 'story')?.feedback).toEqual({
      key: null,
      explanation: null,
      result: null,
    });
  });

  it('before the policy shows answers, sees the same whatever they are', () => {
    const policies = fc.constantFrom<Feedback>('none', 'score', 'answers-after-close', 'answers-after-submit');
    fc.assert(
      fc.property(definitions, seeds, policies, fc.boolean(), (any, seed, feedback, isEnded) => {
        fc.pre(!(isEnded && feedback === 'answers-after-submit'));
        const drawn = drawForm(any, seed);
        const answers = drawn.map(({ question }) => ({ question, response: null }));
        const results = isEnded ? gradeAnswers(any.questions, drawn, answers) : [];
        const attempt: ShownAttempt = { ...(isEnded ? ended : started), form: drawn, answers, results };
        const policy = { feedback, closesAt };
        const view = viewOf(attempt, any, policy, before);
        expect(view).toEqual(viewOf(attempt, withOtherKeys(any), policy, before));
        expect(JSON.stringify(view)).not.toContain('"key":');
        expect(JSON.stringify(view)).not.toContain('"result":');
      }),
    );
  });
});

/** The same to whoever may not see answers. */
function withOtherKeys(definition: AssessmentDefinition): AssessmentDefinition {
  const questions = definition.questions.map(
    (question) =>
      ({
        ...question,
        ...('key' in question ? { key: 'another' } : {}),
        explanation: 'another',
      }) as unknown as Question,
  );
  return { ...definition, questions };
}
