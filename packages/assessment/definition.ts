import { DomainError, unreachable } from '../eventsourcing';
import type {
  AssessmentDefinition,
  Credit,
  Feedback,
  Match,
  Option,
  PoolDraw,
  Question,
  ShortText,
} from './assessment.events';
import { normalText } from './grading';

/** A question as an author writes it: what is left out has its usual value. */
export type QuestionDraft = Question extends infer Q ? (Q extends Question ? DraftOf<Q> : never) : never;

type DraftOf<Q extends Question> = Omit<Q, 'credit' | 'pool' | 'explanation' | 'key'> & {
  readonly credit?: Credit;
  readonly pool?: string;
  readonly explanation?: string;
} & (Q extends ShortText
    ? { readonly key: { readonly accepted: readonly string[]; readonly caseSensitive?: boolean } }
    : Q extends { key: infer Key }
      ? { readonly key: Key }
      : object);

/** An assessment as an author writes it. */
export interface AssessmentDraft {
  readonly assessment: string;
  readonly course: string;
  readonly title: string;
  readonly questions: readonly QuestionDraft[];
  /** Pools of which a part is drawn; the others are used whole. */
  readonly draw?: readonly { readonly pool?: string; readonly count: number }[];
  readonly shuffleQuestions?: boolean;
  readonly shuffleOptions?: boolean;
  readonly timeLimitSeconds?: number;
  readonly graceSeconds?: number;
  readonly attemptsAllowed?: number;
  readonly passMark: number;
  readonly feedback: Feedback;
  readonly closesAt?: string;
}

const MAIN_POOL = 'main';
const MOST_POINTS = 1000;

/** The definition with every usual value filled in, as it is recorded. @throws DomainError for one that makes no sense */
export function definitionOf(draft: AssessmentDraft, version: number): AssessmentDefinition {
  const { assessment, course, title, passMark, feedback, timeLimitSeconds = null, graceSeconds = 0 } = draft;
  const questions = draft.questions.map(questionOf);
  if (questions.length === 0) throw new DomainError('no-questions', 'An assessment needs at least one question.');
  refuseTwice(
    'question-twice',
    questions.map(({ id }) => id),
  );
  for (const question of questions) checkQuestion(question);
  const closesAt = draft.closesAt === undefined ? null : new Date(draft.closesAt).toISOString();
  const definition: AssessmentDefinition = {
    assessment,
    version,
    course,
    title,
    questions,
    draw: drawOf(draft, questions),
    shuffleQuestions: draft.shuffleQuestions ?? false,
    shuffleOptions: draft.shuffleOptions ?? false,
    timeLimitSeconds,
    graceSeconds,
    attemptsAllowed: draft.attemptsAllowed ?? null,
    passMark,
    feedback,
    closesAt,
  };
  checkRules(definition);
  return definition;
}

/** Rebuilt field by field: what is recorded is plain JSON, whatever class the command's data came as. */
function questionOf(draft: QuestionDraft): Question {
  const { id, text, points, credit = 'all-or-nothing', pool = MAIN_POOL, explanation = null } = draft;
  const asked = { id, text, points, credit, pool, explanation };
  switch (draft.kind) {
    case 'single-choice':
      return { kind: draft.kind, ...asked, options: optionsOf(draft.options), key: draft.key };
    case 'multiple-choice':
    case 'ordering':
      return { kind: draft.kind, ...asked, options: optionsOf(draft.options), key: [...draft.key] };
    case 'true-false':
      return { kind: draft.kind, ...asked, key: draft.key };
    case 'numeric':
      return { kind: draft.kind, ...asked, key: { value: draft.key.value + 0, tolerance: draft.key.tolerance + 0 } };
    case 'matching': {
      const [prompts, options] = [optionsOf(draft.prompts), optionsOf(draft.options)];
      return { kind: draft.kind, ...asked, prompts, options, key: draft.key.map(matchOf) };
    }
    case 'short-text': {
      const { accepted, caseSensitive = false } = draft.key;
      return { kind: draft.kind, ...asked, key: { accepted: [...accepted], caseSensitive } };
    }
    case 'free-text':
      return { kind: draft.kind, ...asked };
    default:
      return unreachable(draft);
  }
}

const optionsOf = (options: readonly Option[]): readonly Option[] => options.map(({ id, text }) => ({ id, text }));
const matchOf = ({ prompt, option }: Match): Match => ({ prompt, option });

function checkQuestion(question: Question): void {
  const { id, kind, points } = question;
  if (!Number.isInteger(points) || points < 1 || points > MOST_POINTS) {
    throw new DomainError('points-range', `Question ${id} must give a whole number of points, 1 to ${MOST_POINTS}.`);
  }
  const inParts = kind === 'multiple-choice' || kind === 'ordering' || kind === 'matching';
  if (question.credit === 'proportional' && !inParts) {
    throw new DomainError('credit-rule', `Question ${id} has no parts: its credit must be all-or-nothing.`);
  }
  if ('options' in question) checkOptions(question.id, question.options);
  checkKey(question);
}

function checkOptions(question: string, options: readonly Option[]): void {
  if (options.length < 2) throw new DomainError('options-too-few', `Question ${question} needs at least two options.`);
  refuseTwice(
    'option-twice',
    options.map(({ id }) => id),
  );
}

function checkKey(question: Question): void {
  const { id } = question;
  switch (question.kind) {
    case 'single-choice':
      return refuseUnknown(id, [question.key], question.options);
    case 'multiple-choice':
      refuseEmpty(id, question.key);
      refuseTwice('key-twice', question.key);
      return refuseUnknown(id, question.key, question.options);
    case 'ordering':
      refuseTwice('key-twice', question.key);
      refuseUnknown(id, question.key, question.options);
      return refuseIncomplete(id, question.key, question.options);
    case 'matching': {
      refuseEmpty(id, question.prompts);
      refuseTwice(
        'option-twice',
        question.prompts.map((prompt) => prompt.id),
      );
      const matched = question.key.map(({ prompt }) => prompt);
      refuseTwice('key-twice', matched);
      refuseUnknown(id, matched, question.prompts);
      refuseUnknown(
        id,
        question.key.map(({ option }) => option),
        question.options,
      );
      return refuseIncomplete(id, matched, question.prompts);
    }
    case 'numeric': {
      const { value, tolerance } = question.key;
      if (Number.isFinite(value) && Number.isFinite(tolerance) && tolerance >= 0) return;
      throw new DomainError('tolerance-range', `Question ${id} needs a number and a tolerance of 0 or more.`);
    }
    case 'short-text': {
      const { accepted, caseSensitive } = question.key;
      const texts = accepted.map((text) => normalText(text, caseSensitive));
      refuseEmpty(id, texts.includes('') ? [] : texts);
      return refuseTwice('key-twice', texts);
    }
    case 'true-false':
    case 'free-text':
      return;
    default:
      unreachable(question);
  }
}

function refuseEmpty(question: string, key: readonly unknown[]): void {
  if (key.length === 0) throw new DomainError('key-empty', `Question ${question} has no right answer.`);
}

function refuseUnknown(question: string, key: readonly string[], options: readonly Option[]): void {
  const unknown = key.find((id) => !options.some((option) => option.id === id));
  if (unknown === undefined) return;
  throw new DomainError(
    'key-unknown',
    `The answer to question ${question} names "${unknown}", which it does not have.`,
  );
}

function refuseIncomplete(question: string, key: readonly string[], options: readonly Option[]): void {
  const missing = options.find(({ id }) => !key.includes(id));
  if (!missing) return;
  throw new DomainError('key-incomplete', `The answer to question ${question} leaves out "${missing.id}".`);
}

function refuseTwice(code: string, ids: readonly string[]): void {
  const twice = ids.find((id, i) => ids.indexOf(id) !== i);
  if (twice !== undefined) throw new DomainError(code, `"${twice}" stands there twice.`);
}

function drawOf(draft: AssessmentDraft, questions: readonly Question[]): readonly PoolDraw[] {
  const wanted = (draft.draw ?? []).map(({ pool = MAIN_POOL, count }) => ({ pool, count }));
  refuseTwice(
    'draw-twice',
    wanted.map(({ pool }) => pool),
  );
  const pools = [...new Set(questions.map(({ pool }) => pool))];
  const unknown = wanted.find(({ pool }) => !pools.includes(pool));
  if (unknown) throw new DomainError('draw-unknown', `No question is in the pool "${unknown.pool}".`);
  return pools.map((pool) => {
    const bank = questions.filter((question) => question.pool === pool);
    const count = wanted.find((each) => each.pool === pool)?.count ?? bank.length;
    if (!Number.isInteger(count) || count < 1 || count > bank.length) {
      throw new DomainError('draw-range', `The pool "${pool}" has ${bank.length} questions: ${count} cannot be drawn.`);
    }
    if (count < bank.length && bank.some(({ points }) => points !== bank[0]!.points)) {
      throw new DomainError('draw-uneven', `The questions of the pool "${pool}" must give the same points to be fair.`);
    }
    return { pool, count };
  });
}

function checkRules(definition: AssessmentDefinition): void {
  const { passMark, timeLimitSeconds, graceSeconds, attemptsAllowed, feedback, closesAt } = definition;
  if (!(passMark >= 0 && passMark <= 1)) throw new DomainError('pass-mark-range', 'The pass mark must lie in 0 to 1.');
  if (timeLimitSeconds !== null && !(Number.isInteger(timeLimitSeconds) && timeLimitSeconds > 0)) {
    throw new DomainError('time-limit-range', 'The time limit must be a whole number of seconds above 0.');
  }
  if (!Number.isInteger(graceSeconds) || graceSeconds < 0) {
    throw new DomainError('grace-range', 'The grace must be a whole number of seconds, 0 or more.');
  }
  if (timeLimitSeconds === null && graceSeconds > 0) {
    throw new DomainError('grace-without-limit', 'A grace needs a time limit.');
  }
  if (attemptsAllowed !== null && !(Number.isInteger(attemptsAllowed) && attemptsAllowed > 0)) {
    throw new DomainError('attempts-allowed-range', 'The attempts allowed must be a whole number above 0.');
  }
  if (feedback === 'answers-after-close' && closesAt === null) {
    throw new DomainError('feedback-without-close', 'Answers are to be shown after the close, but there is none.');
  }
}
