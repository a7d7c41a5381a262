import type { AssessmentDefinition, Question } from './assessment.events';
import type { FormQuestion } from './attempt.events';
import { mulberry32, type Random, shuffled } from './random';

/**
 * The questions that one attempt gets and the order in which everything is shown: a pure function of a published version and a
 * seed, so that audit can draw a recorded form anew. One sequence serves, in this order: each pool that is not used whole, the
 * order of the questions, the options of each question. Storage format.
 * @param seed whole number, 0 to 2^32 - 1
 */
export function drawForm(definition: AssessmentDefinition, seed: number): readonly FormQuestion[] {
  const random = mulberry32(seed);
  const drawn = new Set(
    definition.draw.flatMap(({ pool, count }) => {
      const bank = definition.questions.filter((question) => question.pool === pool);
      return (count < bank.length ? shuffled(bank, random) : bank).slice(0, count).map(({ id }) => id);
    }),
  );
  const inBankOrder = definition.questions.filter(({ id }) => drawn.has(id));
  const questions = definition.shuffleQuestions ? shuffled(inBankOrder, random) : inBankOrder;
  return questions.map((question) => formQuestion(question, definition.shuffleOptions, random));
}

function formQuestion(question: Question, shuffleOptions: boolean, random: Random): FormQuestion {
  const { id, kind, points } = question;
  const options = 'options' in question ? question.options.map((option) => option.id) : [];
  // What is to be put in order is always shuffled: as the author wrote it, it may stand in the right order.
  const mustShuffle = shuffleOptions || kind === 'ordering';
  return {
    question: id,
    kind,
    points,
    options: mustShuffle ? shuffled(options, random) : options,
    prompts: question.kind === 'matching' ? question.prompts.map((prompt) => prompt.id) : [],
  };
}

/** The most points that a form can give. */
export function pointsOf(form: readonly FormQuestion[]): number {
  return form.reduce((sum, { points }) => sum + points, 0);
}
