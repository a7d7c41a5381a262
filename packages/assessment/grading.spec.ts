import fc from 'fast-check';
import type { Question } from './assessment.events';
import { definitionOf } from './definition';
import { drawForm, pointsOf } from './form';
import { gradeAnswer, gradeAnswers, gradeOfResults } from './grading';
import { definitions, questions, responsesTo, seeds } from './testing/arbitraries';
import { firstAid } from './testing/first-aid';

const definition = definitionOf(firstAid, 1);
const asked = (id: string): Question => definition.questions.find((question) => question.id === id)!;

describe('an answer', () => {
  it.each([
    ['number', 'a', 1],
    ['number', 'b', 0],
    ['kit', ['d', 'b', 'a'], 4],
    ['kit', ['a', 'b'], 2.67],
    ['kit', ['a', 'b', 'c', 'd'], 2.67],
    ['kit', ['a', 'a', 'a'], 1.33],
    ['kit', ['c'], 0],
    ['kit', [], 0],
    ['alone', false, 1],
    ['alone', true, 0],
    ['alone', 'false', 0],
    ['rate', 100, 2],
    ['rate', 120, 2],
    ['rate', 120.1, 0],
    ['rate', '110', 0],
    ['rate', NaN, 0],
    ['rate', Infinity, 0],
    ['steps', ['check', 'call', 'press'], 3],
    ['steps', ['check', 'press', 'call'], 1],
    ['steps', ['check'], 1],
    ['steps', ['call', 'press', 'check'], 0],
    ['means', [{ prompt: 'cut', option: 'bandage' }, { prompt: 'burn', option: 'water' }], 2], // prettier-ignore
    ['means', [{ prompt: 'burn', option: 'water' }], 1],
    ['means', [{ prompt: 'burn', option: 'water' }, { prompt: 'burn', option: 'butter' }], 0], // prettier-ignore
    ['device', 'secret defibrillator', 1],
    ['device', '  SECRET\t Defibrillator\n', 1],
    ['device', 'secret de\u0301fibrillateur', 1],
    ['device', 'secret', 0],
    ['device', '', 0],
    ['story', 'Once upon a time', null],
    ['story', ' ', 0],
    ['story', undefined, 0],
  ])('to %s, %j, gives %j points', (id, response, points) => {
    expect(gradeAnswer(asked(id), response)).toBe(points);
  });

  it('that is right in part gives nothing where all or nothing counts', () => {
    const strict = (id: string) => ({ ...asked(id), credit: 'all-or-nothing' }) as Question;
    expect(gradeAnswer(strict('kit'), ['a', 'b'])).toBe(0);
    expect(gradeAnswer(strict('kit'), ['a', 'b', 'd'])).toBe(4);
    expect(gradeAnswer(strict('steps'), ['check', 'press', 'call'])).toBe(0);
    expect(gradeAnswer(strict('means'), [{ prompt: 'burn', option: 'water' }])).toBe(0);
  });

  it('may need its capitals', () => {
    const strict = { ...asked('device'), key: { accepted: ['AED'], caseSensitive: true } } as Question;
    expect(gradeAnswer(strict, ' AED ')).toBe(1);
    expect(gradeAnswer(strict, 'aed')).toBe(0);
  });

  it('at the edge of a tolerance is right although 0.1 + 0.2 is not 0.3', () => {
    const decimal = { ...asked('rate'), key: { value: 0.3, tolerance: 0.1 } } as Question;
    expect(gradeAnswer(decimal, 0.4)).toBe(2);
    expect(gradeAnswer(decimal, 0.2)).toBe(2);
    expect(gradeAnswer(decimal, 0.400001)).toBe(0);
  });

  it('whatever it is, gives points within bounds; the right one gives all', () => {
    const cases = questions.chain((question) => fc.tuple(fc.constant(question), responsesTo(question)));
    fc.assert(
      fc.property(cases, ([question, response]) => {
        const points = gradeAnswer(question, response);
        if (question.kind === 'free-text') return points === null || points === 0;
        if ('key' in question && question.kind !== 'numeric' && question.kind !== 'short-text') {
          expect(gradeAnswer(question, question.key)).toBe(question.points);
        }
        return (
          points !== null && points >= 0 && points <= question.points && Number.isInteger(Math.round(points * 100))
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe('a grade', () => {
  const form = drawForm(definition, 1);
  const full = form.map(({ question, points: max }) => ({ question, points: max, max, comment: null }));

  it('waits for every question', () => {
    const answers = [{ question: 'story', response: 'Once' }];
    const results = gradeAnswers(definition.questions, form, answers);
    expect(results).toHaveLength(7);
    expect(gradeOfResults(form, results, 0.7)).toBeUndefined();
  });

  it('is everything, nothing, or exact in between', () => {
    expect(gradeOfResults(form, full, 0.7)).toEqual({ raw: 20, min: 0, max: 20, scaled: 1, passed: true });
    const none = full.map((result) => ({ ...result, points: 0 }));
    expect(gradeOfResults(form, none, 0.7)).toEqual({ raw: 0, min: 0, max: 20, scaled: 0, passed: false });
    const tenths = [{ ...form[0]!, points: 1 }, { ...form[1]!, points: 1 }, { ...form[2]!, points: 1 }]; // prettier-ignore
    const results = tenths.map(({ question }, i) => ({ question, points: [0.1, 0.2, 0.6][i]!, max: 1, comment: null }));
    expect(gradeOfResults(tenths, results, 0.3)).toEqual({ raw: 0.9, min: 0, max: 3, scaled: 0.3, passed: true });
  });

  it('is within bounds for arbitrary answers', () => {
    const cases = definitions.chain((any) =>
      fc.tuple(fc.constant(any), seeds, fc.tuple(...any.questions.map((question) => responsesTo(question)))),
    );
    fc.assert(
      fc.property(cases, ([any, seed, responses]) => {
        const drawn = drawForm(any, seed);
        const answers = any.questions.map(({ id }, i) => ({ question: id, response: responses[i] as never }));
        const results = gradeAnswers(any.questions, drawn, answers);
        const byHand = drawn
          .filter(({ question }) => !results.some((result) => result.question === question))
          .map(({ question, points }) => ({ question, points, max: points, comment: null }));
        const grade = gradeOfResults(drawn, [...results, ...byHand], any.passMark)!;
        expect(grade.max).toBe(pointsOf(drawn));
        expect(grade.raw).toBeGreaterThanOrEqual(0);
        expect(grade.raw).toBeLessThanOrEqual(grade.max);
        expect(grade.scaled).toBeGreaterThanOrEqual(0);
        expect(grade.scaled).toBeLessThanOrEqual(1);
        expect(grade.passed).toBe(grade.scaled >= any.passMark);
      }),
    );
  });
});
