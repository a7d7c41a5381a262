import type { AssessmentDraft } from '../definition';

/** An assessment with a question of every kind, as an author would write it. Everything secret in it begins with `SECRET`. */
export const firstAid: AssessmentDraft = {
  assessment: 'first-aid-test',
  course: 'first-aid',
  title: 'First aid',
  questions: [
    {
      id: 'number',
      kind: 'single-choice',
      text: 'Which number do you call?',
      points: 1,
      options: [
        { id: 'a', text: '112' },
        { id: 'b', text: '211' },
        { id: 'c', text: '121' },
      ],
      key: 'a',
      explanation: 'SECRET: 112 works all over Europe.',
    },
    {
      id: 'kit',
      kind: 'multiple-choice',
      text: 'What belongs into the kit?',
      points: 4,
      credit: 'proportional',
      options: [
        { id: 'a', text: 'Plaster' },
        { id: 'b', text: 'Gloves' },
        { id: 'c', text: 'Coffee' },
        { id: 'd', text: 'Scissors' },
      ],
      key: ['a', 'b', 'd'],
    },
    { id: 'alone', kind: 'true-false', text: 'Leave an unconscious person alone.', points: 1, key: false },
    {
      id: 'rate',
      kind: 'numeric',
      text: 'Compressions per minute?',
      points: 2,
      key: { value: 110, tolerance: 10 },
    },
    {
      id: 'steps',
      kind: 'ordering',
      text: 'In which order?',
      points: 3,
      credit: 'proportional',
      options: [
        { id: 'call', text: 'Call' },
        { id: 'check', text: 'Check' },
        { id: 'press', text: 'Press' },
      ],
      key: ['check', 'call', 'press'],
    },
    {
      id: 'means',
      kind: 'matching',
      text: 'What helps against what?',
      points: 2,
      credit: 'proportional',
      prompts: [
        { id: 'burn', text: 'Burn' },
        { id: 'cut', text: 'Cut' },
      ],
      options: [
        { id: 'water', text: 'Water' },
        { id: 'bandage', text: 'Bandage' },
        { id: 'butter', text: 'Butter' },
      ],
      key: [
        { prompt: 'burn', option: 'water' },
        { prompt: 'cut', option: 'bandage' },
      ],
    },
    {
      id: 'device',
      kind: 'short-text',
      text: 'What does the D in AED stand for?',
      points: 1,
      key: { accepted: ['SECRET Defibrillator', 'SECRET  défibrillateur'] },
    },
    { id: 'story', kind: 'free-text', text: 'Tell of an accident.', points: 6 },
  ],
  shuffleQuestions: true,
  shuffleOptions: true,
  timeLimitSeconds: 600,
  graceSeconds: 30,
  attemptsAllowed: 2,
  passMark: 0.7,
  feedback: 'answers-after-submit',
};
