/** Data of commands, each with an id of its own, so that tests of one file share a stack without meeting. */
import { randomUUID } from 'node:crypto';

export interface Hired {
  readonly person: string;
  readonly manager?: string;
  readonly [field: string]: unknown;
}

export function hired(fields: Partial<Hired> = {}): Hired {
  const person = randomUUID();
  return { person, employeeNumber: person, jobTitle: 'Engineer', role: 'engineer', orgUnit: 'd005', ...fields };
}

export function published(fields: { course?: string; title?: string } = {}): { course: string; title: string } {
  return { course: newId('course'), title: 'Code of Conduct', ...fields };
}

export function attempted(person: string, course: string, raw?: number) {
  const score = raw === undefined ? {} : { score: { raw, max: 100, passMark: 40 } };
  return { attempt: randomUUID(), person, course, assessment: 'quiz', ...score };
}

export function newId(prefix: string): string {
  return `${prefix}-${randomUUID()}`;
}

/** A tenant that no other test uses. */
export function newTenant(): string {
  return `t${randomUUID().replaceAll('-', '').slice(0, 20)}`;
}
