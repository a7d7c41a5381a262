import fc from 'fast-check';
import type { AssessmentDefinition, Question } from '../assessment.events';
import { type AssessmentDraft, definitionOf, type QuestionDraft } from '../definition';

/** Ids as authors give them, names of JavaScript's own among them. */
const ids = fc.uniqueArray(
  fc.oneof(fc.stringMatching(/^[a-z][a-z0-9]{0,4}$/), fc.constantFrom('constructor', 'toString', 'valueOf')),
  { minLength: 2, maxLength: 6 },
);
const optionsOf = (names: readonly string[]) => names.map((id) => ({ id, text: `text of ${id}` }));
const credit = fc.constantFrom('all-or-nothing', 'proportional');

const kinds: fc.Arbitrary<QuestionDraft>[] = [
  ids.chain((names) => options(names, { kind: fc.constant('single-choice'), key: fc.constantFrom(...names) })),
  ids.chain((names) =>
    options(names, { kind: fc.constant('multiple-choice'), credit, key: fc.subarray(names, { minLength: 1 }) }),
  ),
  ids.chain((names) =>
    options(names, {
      kind: fc.constant('ordering'),
      credit,
      key: fc.shuffledSubarray(names, { minLength: names.length }),
    }),
  ),
  fc.tuple(ids, ids).chain(([prompts, names]) =>
    options(names, {
      kind: fc.constant('matching'),
      credit,
      prompts: fc.constant(optionsOf(prompts)),
      key: fc.tuple(
        ...prompts.map((prompt) => fc.record({ prompt: fc.constant(prompt), option: fc.constantFrom(...names) })),
      ),
    }),
  ),
  question({ kind: fc.constant('true-false'), key: fc.boolean() }),
  question({
    kind: fc.constant('numeric'),
    key: fc.record({
      value: fc.double({ noNaN: true, noDefaultInfinity: true }),
      tolerance: fc.float({ min: 0, max: 9, noNaN: true }),
    }),
  }),
  question({
    kind: fc.constant('short-text'),
    key: fc.record({
      accepted: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1 }),
      caseSensitive: fc.boolean(),
    }),
  }),
  question({ kind: fc.constant('free-text') }),
];

function question(fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<QuestionDraft> {
  const asked = { id: fc.constant(''), text: fc.string(), points: fc.integer({ min: 1, max: 10 }) };
  return fc.record({ ...asked, ...fields }) as unknown as fc.Arbitrary<QuestionDraft>;
}

function options(names: readonly string[], fields: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<QuestionDraft> {
  return question({ ...fields, options: fc.constant(optionsOf(names)) });
}

/** A draft that makes sense: any questions in any number, in up to three pools, with any rules. */
export const drafts: fc.Arbitrary<AssessmentDraft> = fc
  .record({
    questions: fc.array(fc.tuple(fc.oneof(...kinds), fc.constantFrom('main', 'easy', 'hard')), {
      minLength: 1,
      maxLength: 12,
    }),
    shares: fc.tuple(fc.double({ min: 0.01, max: 1, noNaN: true }), fc.double({ min: 0.01, max: 1, noNaN: true })),
    rules: fc.record({
      shuffleQuestions: fc.boolean(),
      shuffleOptions: fc.boolean(),
      passMark: fc.double({ min: 0, max: 1, noNaN: true }),
      feedback: fc.constantFrom('none', 'score', 'answers-after-submit', 'answers-after-close'),
    }),
  })
  .map(({ questions, shares, rules }) => {
    // A pool of which a part is drawn gives the same points for each question.
    const bank = questions.map(([draft, pool], i) => ({
      ...draft,
      id: `q${i}`,
      pool,
      ...(pool === 'main' ? {} : { points: 2 }),
    }));
    const draw = ['easy', 'hard'].flatMap((pool, i) => {
      const size = bank.filter((each) => each.pool === pool).length;
      return size === 0 ? [] : [{ pool, count: Math.ceil(size * shares[i]!) }];
    });
    const closesAt = '2026-06-01T00:00:00.000Z';
    return { assessment: 'any', course: 'any-course', title: 'Any', questions: bank, draw, closesAt, ...rules };
  });

export const definitions: fc.Arbitrary<AssessmentDefinition> = drafts.map((draft) => definitionOf(draft, 1));

export const questions: fc.Arbitrary<Question> = definitions.map(({ questions: [first] }) => first!);

export const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

/** Whatever might come as an answer: near the truth, of the right shape, and of no shape at all. */
export function responsesTo(asked: Question): fc.Arbitrary<unknown> {
  const known = 'options' in asked ? asked.options.map(({ id }) => id) : ['a'];
  const prompts = 'prompts' in asked ? asked.prompts.map(({ id }) => id) : ['a'];
  return fc.oneof(
    fc.constant('key' in asked ? asked.key : undefined),
    fc.constantFrom(...known),
    fc.array(fc.constantFrom(...known)),
    fc.array(fc.record({ prompt: fc.constantFrom(...prompts), option: fc.constantFrom(...known) })),
    fc.double(),
    fc.boolean(),
    fc.string(),
    fc.anything({ withNullPrototype: true, withBigInt: true, withSparseArray: true }),
  );
}
