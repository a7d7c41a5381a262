import fc from 'fast-check';
import { given } from '../eventsourcing/testing';
import { assessmentDecider } from './assessment.decider';
import type { AssessmentPublished } from './assessment.events';
import { type AssessmentDraft, definitionOf, type QuestionDraft } from './definition';
import { drafts } from './testing/arbitraries';
import { firstAid } from './testing/first-aid';

const at = '2026-03-01T09:30:00.000Z';
const publish = (data: AssessmentDraft) => ({ type: 'PublishAssessment', at, data }) as const;
const published: AssessmentPublished = { type: 'AssessmentPublished', data: definitionOf(firstAid, 1) };

/** The first-aid assessment with these questions, or with one of its questions changed. */
const asking = (...questions: object[]) => ({ ...firstAid, questions: questions as QuestionDraft[] });
const changed = (id: string, change: object) =>
  asking(...firstAid.questions.map((question) => (question.id === id ? { ...question, ...change } : question)));

const { timeLimitSeconds: _, ...unlimited } = firstAid;

describe('an assessment', () => {
  it('is published', () => given(assessmentDecider).when(publish(firstAid)).then(published));

  it('says what its author left out', () => {
    const { assessment, course, title, passMark } = firstAid;
    const question = { id: 'q', kind: 'true-false', text: 'Yes?', points: 1, key: true } as const;
    given(assessmentDecider)
      .when(publish({ assessment, course, title, passMark, feedback: 'none', questions: [question] }))
      .then({
        type: 'AssessmentPublished',
        data: {
          assessment,
          version: 1,
          course,
          title,
          questions: [{ ...question, credit: 'all-or-nothing', pool: 'main', explanation: null }],
          draw: [{ pool: 'main', count: 1 }],
          shuffleQuestions: false,
          shuffleOptions: false,
          timeLimitSeconds: null,
          graceSeconds: 0,
          attemptsAllowed: null,
          passMark,
          feedback: 'none',
          closesAt: null,
        },
      });
  });

  it('gets a new version with its change, and keeps the old one', () => {
    const next: AssessmentPublished = {
      type: 'AssessmentPublished',
      data: definitionOf({ ...firstAid, passMark: 0.8 }, 2),
    };
    given(assessmentDecider, [published])
      .when(publish({ ...firstAid, passMark: 0.8 }))
      .then(next);
    given(assessmentDecider, [published, next])
      .when(publish(firstAid))
      .then({ ...published, data: definitionOf(firstAid, 3) });
  });

  it('is not published anew without a change, whatever class the draft is of', () => {
    class Draft {}
    const draft = Object.assign(new Draft(), firstAid, {
      questions: firstAid.questions.map((question) => Object.assign(new Draft(), question)),
    });
    given(assessmentDecider, [published]).when(publish(draft)).thenNothing();
  });

  it.each<[string, string, AssessmentDraft]>([
    ['no question', 'no-questions', asking()],
    ['two questions of one id', 'question-twice', asking(firstAid.questions[0]!, firstAid.questions[0]!)],
    ['no points', 'points-range', changed('number', { points: 0 })],
    ['half a point', 'points-range', changed('number', { points: 0.5 })],
    ['too many points', 'points-range', changed('number', { points: 1001 })],
    ['credit for parts of what has none', 'credit-rule', changed('number', { credit: 'proportional' })],
    ['one option', 'options-too-few', changed('number', { options: [{ id: 'a', text: 'only' }] })],
    [
      'an option twice',
      'option-twice',
      changed('number', {
        options: [
          { id: 'a', text: '1' },
          { id: 'a', text: '2' },
        ],
      }),
    ],
    [
      'a prompt twice',
      'option-twice',
      changed('means', {
        prompts: [
          { id: 'cut', text: '1' },
          { id: 'cut', text: '2' },
        ],
      }),
    ],
    ['no prompt', 'key-empty', changed('means', { prompts: [], key: [] })],
    ['an answer that is no option', 'key-unknown', changed('number', { key: 'z' })],
    ['answers of which one is no option', 'key-unknown', changed('kit', { key: ['a', 'z'] })],
    ['no right option', 'key-empty', changed('kit', { key: [] })],
    ['a right option twice', 'key-twice', changed('kit', { key: ['a', 'a'] })],
    ['an order that lacks one', 'key-incomplete', changed('steps', { key: ['check', 'call'] })],
    ['an order with one twice', 'key-twice', changed('steps', { key: ['check', 'call', 'call'] })],
    ['an order of something else', 'key-unknown', changed('steps', { key: ['check', 'call', 'run'] })],
    ['a prompt without its match', 'key-incomplete', changed('means', { key: [{ prompt: 'cut', option: 'water' }] })],
    ['a match with no option', 'key-unknown', changed('means', { key: [{ prompt: 'cut', option: 'salt' }] })],
    ['a match of no prompt', 'key-unknown', changed('means', { key: [{ prompt: 'cold', option: 'water' }] })],
    ['a tolerance below 0', 'tolerance-range', changed('rate', { key: { value: 1, tolerance: -1 } })],
    ['a number that is none', 'tolerance-range', changed('rate', { key: { value: NaN, tolerance: 0 } })],
    ['no accepted text', 'key-empty', changed('device', { key: { accepted: [] } })],
    ['a blank accepted text', 'key-empty', changed('device', { key: { accepted: ['AED', ' '] } })],
    ['an accepted text twice', 'key-twice', changed('device', { key: { accepted: ['AED', 'aed '] } })],
    ['a draw from no pool', 'draw-unknown', { ...firstAid, draw: [{ pool: 'none', count: 1 }] }],
    ['two draws from one pool', 'draw-twice', { ...firstAid, draw: [{ count: 1 }, { pool: 'main', count: 2 }] }],
    ['a draw of more than there are', 'draw-range', { ...firstAid, draw: [{ count: 9 }] }],
    ['a draw of nothing', 'draw-range', { ...firstAid, draw: [{ count: 0 }] }],
    ['a draw that favours somebody', 'draw-uneven', { ...firstAid, draw: [{ count: 3 }] }],
    ['a pass mark of 70', 'pass-mark-range', { ...firstAid, passMark: 70 }],
    ['no time', 'time-limit-range', { ...firstAid, timeLimitSeconds: 0 }],
    ['a grace below 0', 'grace-range', { ...firstAid, graceSeconds: -1 }],
    ['a grace after no limit', 'grace-without-limit', unlimited],
    ['no attempt', 'attempts-allowed-range', { ...firstAid, attemptsAllowed: 0 }],
    [
      'answers after a close that never comes',
      'feedback-without-close',
      { ...firstAid, feedback: 'answers-after-close' },
    ],
  ])('with %s is refused', (_, code, draft) => {
    given(assessmentDecider).when(publish(draft)).thenRefused(code);
  });

  it('published again, whatever it asks, is no new version', () => {
    fc.assert(
      fc.property(drafts, (draft) => {
        given(assessmentDecider)
          .when(publish(draft))
          .then({ type: 'AssessmentPublished', data: definitionOf(draft, 1) });
      }),
    );
  });
});
