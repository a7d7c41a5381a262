import { given } from '../eventsourcing/testing';
import type { AttemptCommand } from './attempt';
import { attemptDecider, attemptIdOf } from './attempt.decider';
import type { AttemptEvent, QuestionResult } from './attempt.events';
import { definitionOf } from './definition';
import { drawForm } from './form';
import { firstAid } from './testing/first-aid';

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const { assessment, course } = firstAid;
const sitting = { person, assessment, number: 1 };
const attempt = attemptIdOf(sitting);
const of = { attempt, person, course, assessment };
const published = [definitionOf({ ...firstAid, passMark: 0.1 }, 1), definitionOf(firstAid, 2)];
const seed = 7;

/** The attempt begins at 09:00; its time is up at 09:10, with grace at 09:10:30. */
const time = (clock: string) => `2026-03-01T${clock}.000Z`;
const startedAt = time('09:00:00');
const lastMoment = time('09:10:30');
const tooLate = '2026-03-01T09:10:30.001Z';

const form = drawForm(published[1]!, seed);
const started: AttemptEvent = {
  type: 'AttemptStarted',
  data: {
    ...of,
    number: 1,
    assessmentVersion: 2,
    seed,
    form,
    passMark: 0.7,
    endsAt: time('09:10:00'),
    closesAt: lastMoment,
  },
};
const allRight = [
  { question: 'number', response: 'a' },
  { question: 'kit', response: ['a', 'b', 'd'] },
  { question: 'alone', response: false },
  { question: 'rate', response: 110 },
  { question: 'steps', response: ['check', 'call', 'press'] },
  { question: 'means', response: [{ prompt: 'burn', option: 'water' }, { prompt: 'cut', option: 'bandage' }] }, // prettier-ignore
  { question: 'device', response: 'secret defibrillator' },
];
const story = { question: 'story', response: 'Once upon a time' };
const answered: AttemptEvent = { type: 'AnswersRecorded', data: { ...of, answers: [...allRight, story] } };
const submitted: AttemptEvent = { type: 'AttemptSubmitted', data: of };
const timedOut: AttemptEvent = { type: 'AttemptTimedOut', data: { ...of, closedAt: lastMoment } };

const points: Record<string, number> = {
  number: 1,
  kit: 4,
  alone: 1,
  rate: 2,
  steps: 3,
  means: 2,
  device: 1,
  story: 6,
};
/** Results in the order of the form. */
const results = (earned: Record<string, number>): QuestionResult[] =>
  form.flatMap(({ question }) =>
    question in earned ? [{ question, points: earned[question]!, max: points[question]!, comment: null }] : [],
  );
const { story: _, ...byKeyPoints } = points;
const byKey: AttemptEvent = { type: 'AnswersGraded', data: { ...of, by: 'key', results: results(byKeyPoints) } };
const nothingRight = results(Object.fromEntries(Object.keys(points).map((question) => [question, 0])));
const graded = (raw: number): AttemptEvent => ({
  type: 'AttemptGraded',
  data: { ...of, grade: { raw, min: 0, max: 20, scaled: Math.round(raw * 100) / 2000, passed: raw >= 14 } },
});

const start = (number = 1, at = startedAt, versions = published): AttemptCommand => ({
  type: 'StartAttempt',
  at,
  data: { ...sitting, number, seed, published: versions },
});
const answer = (at: string, ...answers: { question: string; response: unknown }[]): AttemptCommand => ({
  type: 'RecordAnswers',
  at,
  data: { ...sitting, answers: answers as never },
});
const submit = (at: string, answers?: typeof allRight): AttemptCommand => ({
  type: 'SubmitAttempt',
  at,
  data: { ...sitting, published, ...(answers ? { answers: answers } : {}) },
});
const timeOut = (at: string): AttemptCommand => ({ type: 'TimeOutAttempt', at, data: { ...sitting, published } });
const mark = (...marks: { question: string; points: number; comment?: string }[]): AttemptCommand => ({
  type: 'GradeAnswers',
  at: startedAt,
  data: { attempt, results: marks },
});

describe('an attempt that is taken here', () => {
  it('starts with the form of the newest version', () => given(attemptDecider).when(start()).then(started));
  it('starts once, whatever the seed', () =>
    given(attemptDecider, [started])
      .when({ ...start(), data: { ...sitting, seed: 99, published } } as AttemptCommand)
      .thenNothing());
  it('does not start a second time when it has ended', () =>
    given(attemptDecider, [started, answered, submitted]).when(start()).thenNothing());
  it('starts as often as is allowed, and not once more', () => {
    expect(attemptDecider.decide(start(2), attemptDecider.initialState)).toHaveLength(1);
    given(attemptDecider).when(start(3)).thenRefused('attempts-exhausted');
  });
  it.each([0, -1, 1.5, NaN])('has no number %d', (number) =>
    given(attemptDecider).when(start(number)).thenRefused('attempt-number'),
  );
  it('may start any number of times where no number is set', () => {
    const { attemptsAllowed: _, ...unlimited } = firstAid;
    expect(
      attemptDecider.decide(start(999, startedAt, [definitionOf(unlimited, 1)]), attemptDecider.initialState),
    ).toHaveLength(1);
  });
  it('does not start when the assessment was never published', () =>
    given(attemptDecider)
      .when(start(1, startedAt, []))
      .thenRefused('assessment-unknown'));
  it('does not start after the assessment closed, and ends when it closes', () => {
    const closing = [definitionOf({ ...firstAid, closesAt: time('09:05:00') }, 1)];
    given(attemptDecider)
      .when(start(1, time('09:05:01'), closing))
      .thenRefused('assessment-closed');
    const [begun] = attemptDecider.decide(start(1, startedAt, closing), attemptDecider.initialState);
    expect(begun?.data).toMatchObject({ endsAt: time('09:05:00'), closesAt: time('09:05:00') });
  });
  it('has an id that follows from person, assessment and number', () => {
    expect(attemptDecider.id(start())).toBe(attempt);
    expect(attemptDecider.id(start(2))).not.toBe(attempt);
    expect(attemptDecider.id(mark())).toBe(attempt);
  });

  it('takes answers until the grace is over', () =>
    given(attemptDecider, [started])
      .when(answer(lastMoment, ...allRight, story))
      .then(answered));
  it('refuses an answer after the grace', () =>
    given(attemptDecider, [started]).when(answer(tooLate, story)).thenRefused('attempt-time-over'));
  it('records what changed, the last of two answers to one question, and an answer taken back', () => {
    const [number] = allRight;
    const changed = { question: 'number', response: 'c' };
    const gone = { question: 'story', response: null };
    given(attemptDecider, [started, answered])
      .when(answer(startedAt, number!, allRight[1]!, changed, gone))
      .then({ type: 'AnswersRecorded', data: { ...of, answers: [changed, gone] } });
    given(attemptDecider, [started]).when(answer(startedAt, gone)).thenNothing();
  });
  it.each([
    ['number', 'z'],
    ['number', ['a']],
    ['kit', 'a'],
    ['kit', ['a', 'a']],
    ['kit', ['a', 'z']],
    ['alone', 'yes'],
    ['rate', '110'],
    ['steps', ['call', 'run']],
    ['means', ['burn']],
    ['means', [{ prompt: 'burn', option: 'salt' }]],
    ['means', [{ prompt: 'cold', option: 'water' }]],
    ['means', [{ prompt: 'burn', option: 'water' }, { prompt: 'burn', option: 'butter' }]], // prettier-ignore
    ['device', 1],
    ['story', true],
  ])('refuses what is no answer to %s: %j', (question, response) =>
    given(attemptDecider, [started]).when(answer(startedAt, { question, response })).thenRefused('answer-malformed'),
  );
  it('refuses an answer to a question that it does not ask', () =>
    given(attemptDecider, [started])
      .when(answer(startedAt, { question: 'other', response: 1 }))
      .thenRefused('question-unknown'));
  it.each([
    ['never started', [], 'attempt-not-started'],
    ['submitted', [started, submitted], 'attempt-ended'],
    ['timed out', [started, timedOut], 'attempt-ended'],
  ] as const)('refuses answers when it was %s', (_, history, code) =>
    given(attemptDecider, history).when(answer(startedAt, story)).thenRefused(code),
  );

  it('is submitted, graded by the key, and waits for a person', () =>
    given(attemptDecider, [started, answered]).when(submit(startedAt)).then(submitted, byKey));
  it('is submitted with its last answers in one command', () =>
    given(attemptDecider, [started])
      .when(submit(lastMoment, [...allRight, story]))
      .then(answered, submitted, byKey));
  it('is graded at once when no question waits for a person', () => {
    const withoutStory: AttemptEvent = { type: 'AnswersRecorded', data: { ...of, answers: allRight } };
    given(attemptDecider, [started, withoutStory])
      .when(submit(startedAt))
      .then(
        submitted,
        { type: 'AnswersGraded', data: { ...of, by: 'key', results: results({ ...points, story: 0 }) } },
        graded(14),
      );
  });
  it('is graded with the version that it began with', () => {
    const newer = [...published, definitionOf({ ...firstAid, questions: firstAid.questions.slice(1) }, 3)];
    given(attemptDecider, [started, answered])
      .when({ ...submit(startedAt), data: { ...sitting, published: newer } } as AttemptCommand)
      .then(submitted, byKey);
    given(attemptDecider, [started])
      .when({ ...submit(startedAt), data: { ...sitting, published: published.slice(0, 1) } } as AttemptCommand)
      .thenRefused('assessment-unknown');
  });
  it('submitted twice changes nothing, not even with other answers', () => {
    const history = [started, answered, submitted, byKey];
    given(attemptDecider, history)
      .when(submit(time('09:05:00'), allRight.slice(0, 1)))
      .thenNothing();
    given(attemptDecider, history).when(submit(tooLate)).thenNothing();
    given(attemptDecider, history).when(timeOut(tooLate)).thenNothing();
  });
  it('submitted too late has timed out, with the answers given in time', () =>
    given(attemptDecider, [started])
      .when(submit(tooLate, allRight))
      .then(timedOut, { type: 'AnswersGraded', data: { ...of, by: 'key', results: nothingRight } }, graded(0)));
  it('times out when its time is over and not before', () => {
    given(attemptDecider, [started, answered]).when(timeOut(tooLate)).then(timedOut, byKey);
    given(attemptDecider, [started, answered]).when(timeOut(lastMoment)).thenRefused('attempt-not-over');
    given(attemptDecider, []).when(timeOut(tooLate)).thenRefused('attempt-not-started');
  });
  it('without a limit never times out', () => {
    const { timeLimitSeconds: _, graceSeconds: __, ...unlimited } = firstAid;
    const versions = [definitionOf(unlimited, 1)];
    const [begun] = attemptDecider.decide(start(1, startedAt, versions), attemptDecider.initialState);
    expect(begun?.data).toMatchObject({ endsAt: null, closesAt: null });
    given(attemptDecider, [begun!])
      .when({ type: 'TimeOutAttempt', at: '2036-01-01T00:00:00.000Z', data: { ...sitting, published: versions } })
      .thenRefused('attempt-not-over');
  });
  it('is neither recorded nor graded as a whole by a learning app', () => {
    const score = { raw: 1, max: 20, passMark: 1 };
    given(attemptDecider, [started])
      .when({ type: 'RecordAttempt', at: startedAt, data: { ...of, score } })
      .thenRefused('attempt-id-taken');
    given(attemptDecider, [started])
      .when({ type: 'GradeAttempt', at: startedAt, data: { attempt, score } })
      .thenRefused('attempt-graded-here');
  });
});

describe('answers that wait for a person', () => {
  const waiting = [started, answered, submitted, byKey];
  const byPerson = (points: number, comment: string | null = null): AttemptEvent => ({
    type: 'AnswersGraded',
    data: { ...of, by: 'person', results: [{ question: 'story', points, max: 6, comment }] },
  });

  it('are graded, and with the last of them the attempt', () => {
    given(attemptDecider, waiting)
      .when(mark({ question: 'story', points: 3.333, comment: 'Short.' }))
      .then(byPerson(3.33, 'Short.'), graded(17.33));
  });
  it('may be graded with others that the key got wrong', () =>
    given(attemptDecider, waiting)
      .when(mark({ question: 'device', points: 0, comment: 'No.' }))
      .then({
        type: 'AnswersGraded',
        data: { ...of, by: 'person', results: [{ question: 'device', points: 0, max: 1, comment: 'No.' }] },
      }));
  it('graded again the same are left as they are, graded otherwise are refused', () => {
    const done = [...waiting, byPerson(3), graded(17)];
    given(attemptDecider, done)
      .when(mark({ question: 'story', points: 3 }))
      .thenNothing();
    given(attemptDecider, done)
      .when(mark({ question: 'story', points: 4 }))
      .thenRefused('attempt-already-graded');
  });
  it('get no more points than there are, and none to what was not asked', () => {
    for (const points of [-1, 6.01, NaN]) {
      given(attemptDecider, waiting)
        .when(mark({ question: 'story', points }))
        .thenRefused('points-range');
    }
    given(attemptDecider, waiting)
      .when(mark({ question: 'other', points: 1 }))
      .thenRefused('question-unknown');
  });
  it.each([
    ['never begun', [], 'attempt-unknown'],
    ['open', [started, answered], 'attempt-open'],
    [
      'of a learning app',
      [{ type: 'AttemptRecorded', data: { ...of, banked: false, grade: null } }],
      'attempt-without-answers',
    ],
  ] as [string, AttemptEvent[], string][])('are not those of an attempt that is %s', (_, history, code) =>
    given(attemptDecider, history)
      .when(mark({ question: 'story', points: 1 }))
      .thenRefused(code),
  );
});
