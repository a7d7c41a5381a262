import { unreachable } from '../eventsourcing';
import type { Match } from './assessment.events';
import type { FormQuestion, Response } from './attempt.events';

const LONGEST_TEXT = 20_000;
const LONGEST_LIST = 200;

/** Whether a value has the shape of an answer to some question. */
export function isResponse(value: unknown): value is Response {
  if (value === null || typeof value === 'boolean') return true;
  if (typeof value === 'number') return Number.isFinite(value);
  if (typeof value === 'string') return value.length <= LONGEST_TEXT;
  if (!Array.isArray(value) || value.length > LONGEST_LIST) return false;
  return value.every((item) => typeof item === 'string') || value.every(isMatch);
}

/** Whether it answers this question: of its kind, of its options, nothing named twice. Null takes an answer back and always does. */
export function isAnswerTo({ kind, options, prompts }: FormQuestion, response: Response): boolean {
  if (response === null) return true;
  switch (kind) {
    case 'single-choice':
      return typeof response === 'string' && options.includes(response);
    case 'multiple-choice':
    case 'ordering':
      return isListOf(options, response);
    case 'matching':
      return (
        Array.isArray(response) &&
        response.every(isMatch) &&
        isListOf(
          prompts,
          response.map(({ prompt }) => prompt),
        ) &&
        response.every(({ option }) => options.includes(option))
      );
    case 'true-false':
      return typeof response === 'boolean';
    case 'numeric':
      return Number.isFinite(response);
    case 'short-text':
    case 'free-text':
      return typeof response === 'string';
    default:
      return unreachable(kind);
  }
}

/** Rebuilt, so that what is recorded is plain JSON, whatever class the command's data came as. */
export function plainResponse(response: Response): Response {
  if (typeof response === 'number') return response + 0; // JSON has one zero
  if (!Array.isArray(response)) return response;
  const items: readonly (string | Match)[] = response;
  return items.map((item) =>
    typeof item === 'string' ? item : { prompt: item.prompt, option: item.option },
  ) as Response;
}

/** Entries in the order of their first appearance, the newest of each question. */
export function byQuestion<T extends { readonly question: string }>(
  before: readonly T[],
  newer: readonly T[],
): readonly T[] {
  return [...new Map([...before, ...newer].map((entry) => [entry.question, entry])).values()];
}

function isMatch(value: unknown): value is Match {
  if (typeof value !== 'object' || value === null) return false;
  const { prompt, option, ...rest } = value as Partial<Match>;
  return typeof prompt === 'string' && typeof option === 'string' && Object.keys(rest).length === 0;
}

function isListOf(known: readonly string[], response: unknown): boolean {
  return (
    Array.isArray(response) &&
    new Set(response).size === response.length &&
    response.every((id) => known.includes(id as string))
  );
}
