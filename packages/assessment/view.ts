import { unreachable } from '../eventsourcing';
import type { AssessmentDefinition, Option, Question } from './assessment.events';
import type { Answer, FormQuestion, Grade, QuestionResult, Response } from './attempt.events';

/** What is needed of an attempt to show it; its aggregate and its read model both have it. */
export interface ShownAttempt {
  readonly status: 'started' | 'ended';
  readonly form: readonly FormQuestion[];
  readonly answers: readonly Answer[];
  readonly results: readonly QuestionResult[];
  readonly grade: Grade | null;
  readonly invalidation: string | null;
  readonly closesAt: string | null;
}

/** Of the newest version, so that keys stay closed as long as anybody may still be asked. */
export type FeedbackPolicy = Pick<AssessmentDefinition, 'feedback' | 'closesAt'>;

/** An attempt as its learner may see it. */
export interface AttemptView {
  readonly title: string;
  readonly status: 'started' | 'ended';
  readonly invalidation: string | null;
  readonly closesAt: string | null;
  readonly grade: Grade | null;
  /** In the order of the form. */
  readonly questions: readonly QuestionView[];
}

export interface QuestionView {
  readonly question: string;
  readonly kind: Question['kind'];
  readonly text: string;
  readonly points: number;
  readonly options: readonly Option[];
  readonly prompts: readonly Option[];
  readonly response: Response;
  /** Left out until the policy shows answers. `key` is as in the definition; a question that a person grades has none. */
  readonly feedback?: {
    readonly key: unknown;
    readonly explanation: string | null;
    /** Null while it waits for a person. */
    readonly result: QuestionResult | null;
  };
}

/**
 * What a learner may see of an attempt. Fields are named one by one: what is added to a definition stays hidden until it is
 * named here.
 * @param definition the version that the attempt began with
 * @param at ISO 8601; now
 */
export function viewOf(
  attempt: ShownAttempt,
  definition: AssessmentDefinition,
  policy: FeedbackPolicy,
  at: string,
): AttemptView {
  const { status, invalidation, closesAt, form } = attempt;
  const shown = showsAnswers(attempt, policy, at);
  return {
    title: definition.title,
    status,
    invalidation,
    closesAt,
    grade: showsScore(attempt, policy) ? attempt.grade : null,
    questions: form.flatMap((place) => {
      const question = definition.questions.find(({ id }) => id === place.question);
      return question ? [questionView(place, question, attempt, shown)] : [];
    }),
  };
}

/** Whether the policy lets the learner see the score by now. */
export function showsScore({ status, invalidation }: ShownAttempt, { feedback }: FeedbackPolicy): boolean {
  return status === 'ended' && invalidation === null && feedback !== 'none';
}

/** Whether the policy lets the learner see the right answers by now. */
export function showsAnswers(attempt: ShownAttempt, policy: FeedbackPolicy, at: string): boolean {
  if (!showsScore(attempt, policy)) return false;
  switch (policy.feedback) {
    case 'none':
    case 'score':
      return false;
    case 'answers-after-submit':
      return true;
    case 'answers-after-close':
      return policy.closesAt !== null && Date.parse(at) > Date.parse(policy.closesAt);
    default:
      return unreachable(policy.feedback);
  }
}

function questionView(
  place: FormQuestion,
  question: Question,
  { answers, results }: ShownAttempt,
  shown: boolean,
): QuestionView {
  const { id, kind, text } = question;
  const view = {
    question: id,
    kind,
    text,
    points: place.points,
    options: 'options' in question ? inOrder(place.options, question.options) : [],
    prompts: 'prompts' in question ? inOrder(place.prompts, question.prompts) : [],
    response: answers.find((answer) => answer.question === id)?.response ?? null,
  };
  if (!shown) return view;
  const result = results.find((each) => each.question === id) ?? null;
  const key = 'key' in question ? question.key : null;
  return { ...view, feedback: { key, explanation: question.explanation, result } };
}

function inOrder(ids: readonly string[], options: readonly Option[]): readonly Option[] {
  return ids.flatMap((id) => {
    const option = options.find((each) => each.id === id);
    return option ? [{ id, text: option.text }] : [];
  });
}
