import { setTimeout as delay } from 'node:timers/promises';
import { overlappingOutages } from '../split/outages';
import { appendPoison, parkedAt } from '../split/poison';
import { type ProcessName, SplitStack } from '../split/split-stack';
import { Trial, TRIAL_SERVICES } from '../split/trial';
import { seededMoments } from '../e2e/seeded-moments';

/** 20 in CI, see `.ci/run`, and 200 for the long one. */
const ROUNDS = Number(process.env.ATTEST_TEST_FAULT_ROUNDS);
/** Another one strikes at other moments. */
const SEED = process.env.ATTEST_TEST_FAULT_SEED ?? '1';
/** Content is compared once for so many rounds: it is made anew from the whole log of a tenant, so what a round has spoilt still shows. */
const ROUNDS_PER_TRIAL = 5;
/** A process dies so many milliseconds after the load has begun, at most. */
const LATEST = 400;
/** Longer than who reads the log ever waits between two tries; at full size, than MongoDB's client looks for its server, too. */
const OUTAGE_SECONDS = process.env.ATTEST_TEST_FULL_SIZE ? 60 : 8;
const MINUTE = 60_000;

describe('Faults under load, every service and engine a process of its own', () => {
  let stack: SplitStack;

  beforeAll(async () => {
    stack = await SplitStack.start({ services: TRIAL_SERVICES });
  });

  afterAll(() => stack.stop());

  it.each<ProcessName>(['eventstore', 'mongodb', 'clickhouse', 'projector'])(
    `when %s is killed under load, ${ROUNDS} times in all, then the three stores agree after each, nothing is lost and nothing doubled`,
    async (victim) => {
      const moments = seededMoments(`${SEED}:${victim}`, ROUNDS, LATEST);
      while (moments.length > 0) {
        const trial = await Trial.begin(stack, { senders: 2, rest: 40 });
        for (const moment of moments.splice(0, ROUNDS_PER_TRIAL)) {
          await trial.resume();
          await delay(moment);
          await stack.process(victim).kill();
          await stack.process(victim).returned();
          await trial.goOn(10);
          await trial.verifyPositions();
        }
        await trial.verifyContent();
      }
    },
    ROUNDS * MINUTE,
  );

  it('when an event comes that no read model of attempts can apply, then it is parked and its neighbours pass', async () => {
    const trial = await Trial.begin(stack, { senders: 2, rest: 40 });
    await trial.resume();
    const poison = await appendPoison(stack, trial.tenant);
    await trial.goOn(10);
    await trial.verifyPositions();
    const audit = await stack.as('admin', 'audit', trial.tenant);
    const attempts = await audit.read<{ id: string }[]>('/v1/attempts', { limit: '1000' });
    expect(attempts.map(({ id }) => id).sort()).toEqual([...trial.load.attempts].sort());
    expect(await parkedAt(stack, poison)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'AttemptGraded', reason: expect.stringContaining('never recorded') as string }),
      ]),
    );
  });

  it(
    `when ClickHouse and MongoDB are away for ${OUTAGE_SECONDS} seconds, then commands go on, and their lag grows and shrinks to nothing by itself`,
    async () => {
      const { outages: both, retried } = await overlappingOutages(stack, OUTAGE_SECONDS);
      expect(retried).toBe(0);
      expect(both.map(({ store }) => store)).toEqual(['clickhouse', 'mongodb']);
      for (const { lag, atReturn } of both) {
        expect(lag).toEqual([...new Set(lag)].sort((a, b) => a - b));
        expect(lag[0]).toBeGreaterThan(0);
        expect(atReturn.store).toBeLessThan(atReturn.log);
      }
    },
    5 * MINUTE,
  );
});
