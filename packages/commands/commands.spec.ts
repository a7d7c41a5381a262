import { assessmentCommands } from '../assessment';
import { enrollmentCommands } from '../enrollment';
import { peopleCommands } from '../people';
import { privacyCommands, retentionCommands } from '../privacy';
import { commandPath, InvalidCommandError, validateCommand } from '.';

const all = [...peopleCommands, ...enrollmentCommands, ...assessmentCommands, ...privacyCommands, ...retentionCommands];
const definition = (type: string) => all.find((each) => each.type === type)!;

function problemsOf(type: string, data: unknown) {
  try {
    validateCommand(definition(type), data);
    return [];
  } catch (error) {
    if (error instanceof InvalidCommandError) return error.fields.map(({ field }) => field);
    throw error;
  }
}

describe.each(all.map((each) => [each.type, each] as const))('%s', (_, each) => {
  it('accepts its own example', () => expect(validateCommand(each, each.example)).toMatchObject(each.example));
  it('refuses a field that it does not know', () =>
    expect(problemsOf(each.type, { ...each.example, surprise: 1 })).toEqual(['surprise']));
  it('refuses to be empty', () => expect(problemsOf(each.type, {}).length).toBeGreaterThan(0));
  it('refuses what is no object', () => {
    for (const data of [null, undefined, 'text', 1, []]) expect(problemsOf(each.type, data)).toEqual(['']);
  });
  it('refuses a time that is none', () =>
    expect(problemsOf(each.type, { ...each.example, occurredAt: 'soon' })).toEqual(['occurredAt']));
});

it('names nested fields by their path', () => {
  const { example } = definition('RecordAttempt');
  expect(
    problemsOf('RecordAttempt', { ...example, score: { raw: 'x', max: 100, passMark: 40, odd: 1 } }).sort(),
  ).toEqual(['score.odd', 'score.raw']);
});

it('refuses a list in a list, which would pass for an object', () => {
  const { example } = definition('RecordAnswers');
  expect(problemsOf('RecordAnswers', { ...example, answers: [[]] })).toEqual(['answers.0']);
});

it('refuses ids that could be mistaken for something else', () => {
  const { example } = definition('EnrollLearner');
  for (const course of ['', '__proto__', 'a/b', 'a b', '.a', 'a'.repeat(65), 7]) {
    expect(problemsOf('EnrollLearner', { ...example, course })).toEqual(['course']);
  }
});

it('addresses commands in kebab-case, each once', () => {
  expect(commandPath('PublishAssignmentRule')).toBe('publish-assignment-rule');
  const paths = all.map(({ type }) => commandPath(type));
  expect(new Set(paths).size).toBe(paths.length);
});

it('takes periods in years, months and days, and no other', () => {
  const { example } = definition('SetRetentionRule');
  for (const keepFor of ['P6Y', 'P18M', 'P90D', 'P1Y6M15D']) {
    expect(problemsOf('SetRetentionRule', { ...example, keepFor })).toEqual([]);
  }
  for (const keepFor of ['', 'P', 'P0Y', '6Y', 'P6', 'PT1H', 'P1.5Y', 'P1W', 'P6M1Y', 'P100Y', 6]) {
    expect(problemsOf('SetRetentionRule', { ...example, keepFor })).toEqual(['keepFor']);
  }
});
