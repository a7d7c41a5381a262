import { attemptIdOf, type AttemptView } from '../../packages/assessment';
import { definitionOf } from '../../packages/assessment/definition';
import { firstAid } from '../../packages/assessment/testing/first-aid';
import type { AttemptDocument } from '../../projections/mongo/attempts';
import type { Answer } from '../../projections/mongo/collection';
import type { ApiClient } from './api-client';
import { hired, newId } from './records';
import { useStack } from './running-stack';

const KEYS: Record<string, unknown> = {
  ...Object.fromEntries(
    definitionOf(firstAid, 1).questions.map((question) => [question.id, 'key' in question ? question.key : 'A story.']),
  ),
  rate: 110,
  device: 'secret defibrillator',
};

describe('An assessment', () => {
  const used = useStack();
  let admin: ApiClient;
  let learner: ApiClient;
  let other: ApiClient;
  const { person } = hired();
  const assessment = newId('assessment');
  const sitting = { person, assessment, number: 1 };
  const attempt = attemptIdOf(sitting);
  const view = async (minPosition: string) => learner.read<AttemptView>(`/v1/attempts/${attempt}`, { minPosition });

  beforeAll(async () => {
    admin = await used.stack.as('admin');
    learner = await used.stack.as('learner', { sub: person });
    other = await used.stack.as('learner', { sub: hired().person });
    await admin.command('publish-assessment', { ...firstAid, assessment });
  });

  it('is taken by its learner, who sees answers only when it has ended', async () => {
    const started = await learner.command('start-attempt', sitting);
    expect(started).toMatchObject({ stream: `acme.attempt-${attempt}`, events: ['AttemptStarted'] });
    expect(await learner.command('start-attempt', sitting)).toMatchObject({ events: [], outcome: 'already-known' });
    const paper = await view(started.position);
    expect(paper).toMatchObject({ status: 'started', grade: null });
    expect(JSON.stringify(paper)).not.toMatch(/SECRET|"key":/);

    const answers = paper.questions.map(({ question }) => ({ question, response: KEYS[question] }));
    const submitted = await learner.command('submit-attempt', { ...sitting, answers });
    expect(submitted.events).toEqual(['AnswersRecorded', 'AttemptSubmitted', 'AnswersGraded']);
    expect(await learner.command('submit-attempt', sitting)).toMatchObject({ outcome: 'already-known' });
    expect(JSON.stringify(await view(submitted.position))).toContain('SECRET');

    const results = [{ question: 'story', points: 3 }];
    const graded = await admin.command('grade-answers', { attempt, results });
    expect(graded.events).toEqual(['AnswersGraded', 'AttemptGraded']);
    expect(await view(graded.position)).toMatchObject({ status: 'ended', grade: { raw: 17, max: 20, passed: true } });
    const minPosition = graded.position;
    const [mine] = await learner.read<Answer<AttemptDocument>[]>('/v1/attempts', { person, minPosition });
    expect(mine).toMatchObject({ id: attempt, status: 'graded', results: [] });
  });

  it('is nobody else’s to take or to see', async () => {
    expect(await other.send('start-attempt', { ...sitting, number: 2 })).toMatchObject({ status: 403 });
    expect(await other.get(`/v1/attempts/${attempt}`)).toMatchObject({ status: 403 });
    expect(await learner.send('grade-answers', { attempt, results: [{ question: 'story', points: 6 }] })).toMatchObject(
      { status: 403 },
    );
  });

  it('is taken no more often than is allowed', async () => {
    expect(await learner.send('start-attempt', { ...sitting, number: 3 })).toMatchObject({
      status: 422,
      body: { code: 'attempts-exhausted' },
    });
  });
});
