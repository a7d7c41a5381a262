import pino from 'pino';
import { type DueCommand, Scheduler } from '../../../apps/projector/scheduler';
import { eventCatalog } from '../../../apps/shared/event-catalog';
import { MongoProjector } from '../../../infra/mongo';
import { enrollmentIdOf } from '../../../packages/enrollment';
import { CommandPipeline, derivedId, DomainError } from '../../../packages/eventsourcing';
import { deadlines } from '../../../projections/mongo/deadlines';
import { server } from '../mongo/harness';
import { attestStore, contextOf, newTenant } from './attest-store';
import { sendCommand } from './command-door';

const used = attestStore();
const mongo = server();
const log = pino({ level: 'silent' });
let database = 0;

/** A tenant with its deadlines, and as many schedulers as it takes; the clock is set by hand. */
function setUp() {
  const tenant = newTenant();
  const db = mongo.client.db(`${mongo.db.databaseName}_${database++}`);
  const pipeline = new CommandPipeline(used.store, eventCatalog);
  const projector = new MongoProjector(db, [deadlines]);
  const person = derivedId('scheduler', tenant);
  const enrollment = enrollmentIdOf(person, 'safety');
  let now = '';
  let isAway = false;
  const dispatch = ({ type, data, at, commandId }: DueCommand): Promise<unknown> => {
    if (isAway) return Promise.reject(new Error('away'));
    return sendCommand(pipeline, { type, data, at }, contextOf(tenant, commandId));
  };
  const isFinal = (error: unknown): boolean => error instanceof DomainError;
  return {
    scheduler: () => new Scheduler(db, { dispatch, isFinal, now: () => Date.parse(now), log }),
    send: (type: string, on: string, data: object = {}) =>
      sendCommand(pipeline, { type, data: { person, course: 'safety', ...data }, at: `${on}T09:00:00Z` }, contextOf(tenant)),
    publish: (on: string, data: object) =>
      sendCommand(pipeline, { type: 'PublishCourse', data: { course: 'safety', ...data }, at: `${on}T09:00:00Z` }, contextOf(tenant)),
    /** Brings the read model up to the log. */
    project: async (): Promise<void> => {
      for await (const batch of used.store.subscribeToAll({ streamPrefix: `${tenant}.`, after: await projector.position() })) {
        if (batch.events.length > 0) await projector.apply(batch);
        if (batch.caughtUp) return;
      }
    },
    set: (moment: string): void => void (now = moment),
    goAway: (away: boolean): void => void (isAway = away),
    history: async (): Promise<string[]> => {
      const events: string[] = [];
      for await (const { type, metadata } of used.store.readStream(`${tenant}.enrollment-${enrollment}`)) {
        events.push(`${metadata.occurredAt.slice(0, 10)} ${type}`);
      }
      return events;
    },
  };
} // prettier-ignore

describe('the scheduler', () => {
  it('reminds in time and finds overdue what was due, each once and on its day', async () => {
    const { scheduler, send, project, set, history } = setUp();
    await send('EnrollLearner', '2026-03-01', { dueOn: '2026-03-31' });
    await project();
    const one = scheduler();
    for (const moment of ['2026-03-23T23:59:59Z', '2026-03-24T00:00:00Z', '2026-03-24T00:00:01Z', '2026-03-31T23:59:59Z', '2026-04-01T00:00:00Z', '2026-04-02T00:00:00Z']) {
      set(moment);
      await one.poll();
      await project();
    }
    expect(await history()).toEqual([
      '2026-03-01 LearnerEnrolled',
      '2026-03-24 LearnerReminded',
      '2026-04-01 EnrollmentBecameOverdue',
    ]);
  });

  it('catches up what was missed, but reminds nobody of what is due already', async () => {
    const { scheduler, send, project, set, history } = setUp();
    await send('EnrollLearner', '2026-03-01', { dueOn: '2026-03-31' });
    await project();
    set('2027-01-01T00:00:00Z');
    expect(await scheduler().poll()).toBe(1);
    await project();
    expect(await history()).toEqual(['2026-03-01 LearnerEnrolled', '2026-04-01 EnrollmentBecameOverdue']);
    expect(await scheduler().poll()).toBe(0);
  });

  it('does no harm as a second instance, nor to a read model that is behind', async () => {
    const { scheduler, send, project, set, history } = setUp();
    await send('EnrollLearner', '2026-03-01', { dueOn: '2026-03-31' });
    await project();
    set('2026-04-05T00:00:00Z');
    const [one, other] = [scheduler(), scheduler()];
    await Promise.all([one.poll(), other.poll()]);
    expect(await one.poll()).toBe(0); // sent, and not seen yet
    await scheduler().poll(); // started anew, and does not know
    expect(await history()).toEqual(['2026-03-01 LearnerEnrolled', '2026-04-01 EnrollmentBecameOverdue']);
  });

  it('tries again what could not be sent', async () => {
    const { scheduler, send, project, set, goAway, history } = setUp();
    await send('EnrollLearner', '2026-03-01', { dueOn: '2026-03-31' });
    await project();
    set('2026-04-05T00:00:00Z');
    const one = scheduler();
    goAway(true);
    await expect(one.poll()).rejects.toThrow('away');
    goAway(false);
    await one.poll();
    expect(await history()).toHaveLength(2);
  });

  it('lets certificates expire, and opens their renewal before', async () => {
    const { scheduler, publish, send, project, set, history } = setUp();
    const recertification = { opensDaysBefore: 10, renewsFrom: 'expiry', lateRenewsFrom: 'completion', alignsNewHiresWithinDays: 0 };
    const cause = derivedId('cause');
    const period = { from: '2026-01-01', until: null, ruleVersion: 1, cause, endCause: null, dueOn: null, recertification };
    await publish('2026-01-01', { title: 'Safety', validity: { kind: 'days', days: 30 } });
    await send('ApplyRequirement', '2026-01-01', { rule: 'all', periods: [period], cause });
    await send('CompleteEnrollment', '2026-01-05');
    await project();
    for (const moment of ['2026-01-24T23:59:59Z', '2026-01-25T00:00:00Z', '2026-02-05T00:00:00Z']) {
      set(moment);
      await scheduler().poll();
      await project();
    }
    expect(await history()).toEqual([
      '2026-01-01 LearnerEnrolled',
      '2026-01-05 EnrollmentCompleted',
      '2026-01-05 LearnerCertified',
      '2026-01-25 LearnerEnrolled',
      '2026-02-05 EnrollmentBecameOverdue',
      '2026-02-05 CertificationExpired',
    ]);
  });
}); // prettier-ignore
