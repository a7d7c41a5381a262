import { InvalidCommandError, type LookUp, validateCommand } from '../commands';
import { foldEvents } from '../eventsourcing';
import { assessmentCommands } from './assessment.commands';
import { assessmentDecider } from './assessment.decider';
import { attemptDecider } from './attempt.decider';
import { definitionOf } from './definition';
import { firstAid } from './testing/first-aid';

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const sitting = { person, assessment: firstAid.assessment, number: 1 };
const at = '2026-03-01T09:00:00.000Z';
const definition = (type: string) => assessmentCommands.find((each) => each.type === type)!;

function problemsOf(type: string, data: object): string[] {
  try {
    validateCommand(definition(type), data);
    return [];
  } catch (error) {
    if (error instanceof InvalidCommandError) return error.fields.map(({ field }) => field).sort();
    throw error;
  }
}

describe('publish-assessment', () => {
  const changed = (id: string, change: object) => ({
    ...firstAid,
    questions: firstAid.questions.map((question) => (question.id === id ? { ...question, ...change } : question)),
  });

  it('takes a question of every kind, and what comes of it is plain JSON', () => {
    const data = validateCommand(definition('PublishAssessment'), firstAid) as typeof firstAid;
    const events = assessmentDecider.decide({ type: 'PublishAssessment', at, data }, assessmentDecider.initialState);
    expect(events).toStrictEqual([{ type: 'AssessmentPublished', data: definitionOf(firstAid, 1) }]);
    const state = foldEvents(assessmentDecider, events);
    expect(assessmentDecider.decide({ type: 'PublishAssessment', at, data }, state)).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    [
      'a kind that there is not',
      changed('number', { kind: 'essay' }),
      ['questions.0.key', 'questions.0.kind', 'questions.0.options'],
    ],
    ['a key of another kind', changed('alone', { key: 'yes' }), ['questions.2.key']],
    [
      'a key in parts that is not',
      changed('rate', { key: { value: '110' } }),
      ['questions.3.key.tolerance', 'questions.3.key.value'],
    ],
    ['a key for what a person grades', changed('story', { key: 'x' }), ['questions.7.key']],
    [
      'options that are none',
      changed('kit', { options: [{ id: 'a' }, 'b'] }),
      ['questions.1.options.0.text', 'questions.1.options.1'],
    ],
    [
      'a question that is none',
      { ...firstAid, questions: [null, 1, firstAid.questions[0]] },
      ['questions.0', 'questions.1'],
    ],
    [
      'a question of a kind that is none',
      changed('number', { kind: 'constructor' }),
      ['questions.0.key', 'questions.0.kind', 'questions.0.options'],
    ],
    ['points in parts', changed('kit', { points: 1.5 }), ['questions.1.points']],
    ['a draw of no number', { ...firstAid, draw: [{ count: 'all' }] }, ['draw.0.count']],
    ['a pass mark of 70', { ...firstAid, passMark: 70 }, ['passMark']],
    ['a feedback that there is not', { ...firstAid, feedback: 'all' }, ['feedback']],
  ])('refuses %s', (_, data, fields) => {
    expect([...new Set(problemsOf('PublishAssessment', data))]).toEqual(fields);
  });
});

describe('commands about an attempt', () => {
  it.each(['StartAttempt', 'SubmitAttempt', 'RecordAnswers'])(
    '%s: nobody sets the clock, the form or the keys',
    (type) => {
      const { example } = definition(type);
      expect(problemsOf(type, { ...example, occurredAt: at })).toEqual(['occurredAt']);
      expect(problemsOf(type, { ...example, seed: 1 })).toEqual(['seed']);
      expect(problemsOf(type, { ...example, published: [] })).toEqual(['published']);
    },
  );

  it('take answers of every kind', () => {
    const responses = ['a', ['a', 'b'], true, 3.5, [{ prompt: 'a', option: 'b' }], null, [], ''];
    const answers = responses.map((response) => ({ question: 'q', response }));
    expect(problemsOf('RecordAnswers', { ...sitting, answers })).toEqual([]);
  });

  it.each([[[1]], [{}], [[{ prompt: 'a' }]], ['x'.repeat(20_001)], [undefined]])(
    'do not take %j for an answer',
    (response) => {
      const answers = [{ question: 'q', response }];
      expect(problemsOf('RecordAnswers', { ...sitting, answers })).toEqual(['answers.0.response']);
    },
  );

  it('of a learner are about the learner', () => {
    for (const type of ['StartAttempt', 'RecordAnswers', 'SubmitAttempt']) {
      const { own, roles } = definition(type);
      expect(roles).toContain('learner');
      expect(own!(sitting as never, person)).toBe(true);
      expect(own!(sitting as never, 'somebody-else')).toBe(false);
    }
    expect(assessmentCommands.filter(({ own, roles }) => roles.includes('learner') && !own)).toEqual([]);
  });

  it('bring the published versions and a seed to the decision', async () => {
    const published = [definitionOf(firstAid, 1)];
    const asked: unknown[] = [];
    const lookUp: LookUp = (decider, id) => {
      asked.push([decider.category, id]);
      return Promise.resolve({ published } as never);
    };
    const { facts } = definition('StartAttempt');
    const data = { ...sitting, ...(await facts!(sitting as never, lookUp)) } as never;
    expect(asked).toEqual([['assessment', firstAid.assessment]]);
    const [started] = attemptDecider.decide({ type: 'StartAttempt', at, data }, attemptDecider.initialState);
    expect(started).toMatchObject({
      type: 'AttemptStarted',
      data: { assessmentVersion: 1, seed: expect.any(Number) as number },
    });
    expect(await definition('SubmitAttempt').facts!(sitting as never, lookUp)).toEqual({ published });
  });
});
