import { unreachable } from '../eventsourcing';
import type { Match, Question } from './assessment.events';
import type { Answer, FormQuestion, Grade, QuestionResult } from './attempt.events';
import { pointsOf } from './form';

/** What a number may be off beyond its tolerance, relative to the right value: binary fractions are not decimal ones. */
const ROUNDING = 1e-9;

/**
 * How texts are compared: Unicode compatibility forms made one (NFKC), white space at both ends dropped and inside made one
 * space, letters made small unless `caseSensitive`.
 */
export function normalText(text: string, caseSensitive: boolean): string {
  const spaced = text.normalize('NFKC').trim().replace(/\s+/gu, ' ');
  return caseSensitive ? spaced : spaced.toLowerCase();
}

/**
 * Points of an answer, 0 to the question's points, to two decimals; null when a person must grade it. Total: whatever is not an
 * answer to this question is a wrong one.
 */
export function gradeAnswer(question: Question, response: unknown): number | null {
  const share = rightShare(question, response);
  if (share === null) return null;
  const earned = question.credit === 'proportional' ? share : Math.floor(share);
  return inHundredths(earned * question.points);
}

/** Results of every question of the form that needs no person. */
export function gradeAnswers(
  questions: readonly Question[],
  form: readonly FormQuestion[],
  answers: readonly Answer[],
): readonly QuestionResult[] {
  return form.flatMap(({ question: id, points: max }) => {
    const question = questions.find((each) => each.id === id);
    const points = question ? gradeAnswer(question, answers.find((each) => each.question === id)?.response) : null;
    return points === null ? [] : [{ question: id, points, max, comment: null }];
  });
}

/** The grade of an attempt, or undefined while a question of its form has no points. */
export function gradeOfResults(
  form: readonly FormQuestion[],
  results: readonly QuestionResult[],
  passMark: number,
): Grade | undefined {
  if (form.some(({ question }) => !results.some((result) => result.question === question))) return undefined;
  // Sums and the division are over whole hundredths: decimal fractions would not add up exactly.
  const hundredths = results.reduce((sum, { points }) => sum + Math.round(points * 100), 0);
  const max = pointsOf(form);
  const scaled = hundredths / (max * 100);
  return { raw: hundredths / 100, min: 0, max, scaled, passed: scaled >= passMark };
}

/** Points, 0 or more, to two decimals. */
export function inHundredths(points: number): number {
  return Math.abs(Math.round(points * 100) / 100); // JSON has one zero
}

/** How much of the answer is right, 0 to 1; null when only a person can say. */
function rightShare(question: Question, response: unknown): number | null {
  switch (question.kind) {
    case 'single-choice':
    case 'true-false':
      return response === question.key ? 1 : 0;
    case 'multiple-choice': {
      const chosen = new Set(listIn(response));
      const hits = question.key.filter((id) => chosen.has(id)).length;
      return Math.max(0, hits - (chosen.size - hits)) / question.key.length;
    }
    case 'numeric': {
      const { value, tolerance } = question.key;
      if (typeof response !== 'number') return 0;
      return Math.abs(response - value) <= tolerance + ROUNDING * Math.max(1, Math.abs(value)) ? 1 : 0;
    }
    case 'ordering': {
      const order = listIn(response);
      return question.key.filter((id, place) => order[place] === id).length / question.key.length;
    }
    case 'matching':
      return question.key.filter((match) => isMatched(match, listIn(response))).length / question.key.length;
    case 'short-text': {
      const { accepted, caseSensitive } = question.key;
      if (typeof response !== 'string') return 0;
      const given = normalText(response, caseSensitive);
      return accepted.some((text) => normalText(text, caseSensitive) === given) ? 1 : 0;
    }
    case 'free-text':
      return typeof response === 'string' && response.trim() !== '' ? null : 0;
    default:
      return unreachable(question);
  }
}

function listIn(response: unknown): readonly unknown[] {
  return Array.isArray(response) ? response : [];
}

/** Whether the prompt is matched once, and rightly. */
function isMatched({ prompt, option }: Match, matches: readonly unknown[]): boolean {
  const given = matches.filter((match) => (match as Partial<Match> | null)?.prompt === prompt);
  return given.length === 1 && (given[0] as Match).option === option;
}
