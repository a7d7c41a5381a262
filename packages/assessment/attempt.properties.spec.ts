import fc from 'fast-check';
import { DomainError, foldEvents } from '../eventsourcing';
import type { AssessmentDefinition } from './assessment.events';
import type { AttemptCommand } from './attempt';
import { attemptDecider, attemptIdOf } from './attempt.decider';
import type { AttemptEvent } from './attempt.events';
import { definitions, responsesTo, seeds } from './testing/arbitraries';

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const approver = '3d2f8c11-52a5-5f0e-8a43-6a1f0b0e8b6a';

/** Any command about one attempt, sensible or not, around its 31 minutes. */
function commandsFor(definition: AssessmentDefinition): fc.Arbitrary<AttemptCommand> {
  const sitting = { person, assessment: definition.assessment, number: 1 };
  const attempt = attemptIdOf(sitting);
  const published = [{ ...definition, timeLimitSeconds: 1800, graceSeconds: 60 }];
  const at = fc
    .integer({ min: 0, max: 35 })
    .map((minute) => `2026-03-01T09:${String(minute).padStart(2, '0')}:00.000Z`);
  const answers = fc.array(
    fc.constantFrom(...definition.questions).chain((question) =>
      fc.record({
        question: fc.constant(question.id),
        response: fc.oneof(
          fc.constant('key' in question ? question.key : 'A story.'),
          fc.constant(null),
          responsesTo(question),
        ),
      }),
    ),
    { minLength: 1, maxLength: 2 },
  );
  const results = fc.array(
    fc.record({
      question: fc.constantFrom(...definition.questions.map(({ id }) => id)),
      points: fc.double({ min: 0, max: 3, noNaN: true }),
    }),
    { maxLength: 3 },
  );
  const score = fc.record({ raw: fc.integer({ min: 0, max: 10 }), max: fc.constant(10), passMark: fc.constant(5) });
  const reason = fc.constantFrom('one', 'other');
  const of = (type: AttemptCommand['type'], data: Record<string, fc.Arbitrary<unknown>>, fixed: object) =>
    fc.record({ type: fc.constant(type), at, data: fc.record(data).map((given) => ({ ...fixed, ...given })) });
  return fc.oneof(
    { arbitrary: of('StartAttempt', { seed: seeds }, { ...sitting, published }), weight: 5 },
    { arbitrary: of('RecordAnswers', { answers }, sitting), weight: 10 },
    { arbitrary: of('SubmitAttempt', {}, { ...sitting, published }), weight: 2 },
    { arbitrary: of('TimeOutAttempt', {}, { ...sitting, published }), weight: 1 },
    { arbitrary: of('GradeAnswers', { results }, { attempt }), weight: 3 },
    { arbitrary: of('OverrideScore', { score, reason }, { attempt, approver }), weight: 1 },
    { arbitrary: of('InvalidateAttempt', { reason }, { attempt }), weight: 1 },
    { arbitrary: of('RecordAttempt', { score }, { attempt, ...sitting, course: definition.course }), weight: 1 },
    { arbitrary: of('GradeAttempt', { score }, { attempt }), weight: 1 },
  ) as unknown as fc.Arbitrary<AttemptCommand>;
}

const stories = definitions.chain((definition) => fc.array(commandsFor(definition), { size: 'max', maxLength: 25 }));

/** The events of the commands in order; what is refused records nothing. */
function play(
  commands: readonly AttemptCommand[],
  each: (command: AttemptCommand, history: readonly AttemptEvent[]) => void,
) {
  let history: readonly AttemptEvent[] = [];
  for (const command of commands) {
    try {
      history = [...history, ...attemptDecider.decide(command, foldEvents(attemptDecider, history))];
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      continue;
    }
    each(command, history);
  }
  return history;
}

it('an accepted command, repeated, yields nothing', () => {
  fc.assert(
    fc.property(stories, (commands) => {
      const again: [AttemptCommand, readonly AttemptEvent[]][] = [];
      play(commands, (command, history) => {
        again.push([command, attemptDecider.decide(command, foldEvents(attemptDecider, history))]);
      });
      expect(again.filter(([, events]) => events.length > 0)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

it('whatever is sent, an attempt starts, ends and is graded at most once, and its score stays within bounds', () => {
  fc.assert(
    fc.property(stories, (commands) => {
      const history = play(commands, () => undefined);
      const count = (...types: AttemptEvent['type'][]) => history.filter(({ type }) => types.includes(type)).length;
      expect(count('AttemptStarted', 'AttemptRecorded')).toBeLessThanOrEqual(1);
      expect(count('AttemptSubmitted', 'AttemptTimedOut')).toBeLessThanOrEqual(1);
      expect(count('AttemptGraded')).toBeLessThanOrEqual(1);
      const end = history.findIndex(({ type }) => type === 'AttemptSubmitted' || type === 'AttemptTimedOut');
      const answered = history.findLastIndex(({ type }) => type === 'AnswersRecorded');
      if (end >= 0) expect(answered).toBeLessThan(end);
      for (const { data } of history) {
        if (!('grade' in data) || data.grade === null) continue;
        expect(data.grade.scaled).toBeGreaterThanOrEqual(0);
        expect(data.grade.scaled).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 300 },
  );
});

it('events are plain JSON', () => {
  fc.assert(
    fc.property(stories, (commands) => {
      const history = play(commands, () => undefined);
      expect(JSON.parse(JSON.stringify(history))).toEqual(history);
    }),
  );
});
