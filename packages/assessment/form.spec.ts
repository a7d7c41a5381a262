import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import type { AssessmentPublished } from './assessment.events';
import type { AttemptStarted } from './attempt.events';
import { definitionOf } from './definition';
import { drawForm, pointsOf } from './form';
import { mulberry32, shuffled } from './random';
import { definitions, seeds } from './testing/arbitraries';
import { firstAid } from './testing/first-aid';

const sorted = (names: readonly string[]) => [...names].sort();

describe('random numbers', () => {
  it('are mulberry32, for ever', () => {
    const random = mulberry32(42);
    expect([random(), random(), random()]).toEqual([2581720956, 1925393290, 3661312704]);
    expect(mulberry32(2 ** 32 - 1)()).toBe(mulberry32(-1)());
  });

  it('put things in the same order for ever', () => {
    expect(shuffled(['a', 'b', 'c', 'd', 'e', 'f'], mulberry32(7)).join('')).toBe('ebcdfa');
  });

  it('give every order about as often', () => {
    const counts = new Map<string, number>();
    const random = mulberry32(1);
    for (let i = 0; i < 6000; i++) {
      const order = shuffled(['a', 'b', 'c'], random).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });
});

describe('a form', () => {
  const definition = definitionOf(firstAid, 1);

  it('is the same for the same seed, for ever', () => {
    const form = drawForm(definition, 20260301);
    expect(form.map(({ question, options }) => [question, ...options].join(' '))).toEqual([
      'number c a b',
      'story',
      'rate',
      'kit c b d a',
      'alone',
      'device',
      'means bandage butter water',
      'steps press call check',
    ]);
  });

  it('that was recorded is drawn anew from its seed', () => {
    const golden = (type: string) =>
      JSON.parse(readFileSync(join(__dirname, 'golden', `${type}.v1.json`), 'utf8')) as { data: object };
    const { data: definition } = golden('AssessmentPublished') as AssessmentPublished;
    const { data } = golden('AttemptStarted') as AttemptStarted;
    expect(drawForm(definition, data.seed)).toEqual(data.form);
  });

  it('differs with the seed', () => {
    const forms = new Set(Array.from({ length: 50 }, (_, seed) => JSON.stringify(drawForm(definition, seed))));
    expect(forms.size).toBe(50);
  });

  it('stays as the author wrote it when nothing is shuffled, but for what is to be put in order', () => {
    const plain = definitionOf({ ...firstAid, shuffleQuestions: false, shuffleOptions: false }, 1);
    const form = drawForm(plain, 3);
    expect(form.map(({ question }) => question)).toEqual(plain.questions.map(({ id }) => id));
    expect(form.find(({ question }) => question === 'kit')?.options).toEqual(['a', 'b', 'c', 'd']);
    const orders = Array.from({ length: 20 }, (_, seed) => drawForm(plain, seed)[4]?.options.join());
    expect(new Set(orders).size).toBeGreaterThan(1);
  });

  it('draws each question of a pool about as often', () => {
    const bank = Array.from({ length: 5 }, (_, i) => ({ ...firstAid.questions[2]!, id: `q${i}` }));
    const drawn = definitionOf({ ...firstAid, questions: bank, draw: [{ count: 2 }] }, 1);
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 1000; seed++) {
      for (const { question } of drawForm(drawn, seed)) counts.set(question, (counts.get(question) ?? 0) + 1);
    }
    for (const { id } of bank) expect(Math.abs(counts.get(id)! - 400)).toBeLessThan(60);
  });

  it('has what the draw says of each pool, every option once, the same points for everybody, and no key', () => {
    fc.assert(
      fc.property(definitions, seeds, seeds, (any, seed, other) => {
        const form = drawForm(any, seed);
        expect(drawForm(any, seed)).toEqual(form);
        expect(pointsOf(drawForm(any, other))).toBe(pointsOf(form));
        const ids = form.map(({ question }) => question);
        expect(new Set(ids).size).toBe(ids.length);
        for (const { pool, count } of any.draw) {
          const bank = any.questions.filter((question) => question.pool === pool).map(({ id }) => id);
          expect(ids.filter((id) => bank.includes(id))).toHaveLength(count);
        }
        for (const place of form) {
          const question = any.questions.find(({ id }) => id === place.question)!;
          const options = 'options' in question ? question.options.map(({ id }) => id) : [];
          expect(sorted(place.options)).toEqual(sorted(options));
          expect(Object.keys(place)).toEqual(['question', 'kind', 'points', 'options', 'prompts']);
        }
      }),
    );
  });
});
