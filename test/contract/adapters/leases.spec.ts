import pino from 'pino';
import { abortableDelay } from '../../../infra/abortable-delay';
import { asked } from '../../../infra/bell';
import { type LeaseOptions, Leases, type Term } from '../../../infra/mongo';
import { until } from '../../e2e/until';
import { server } from '../mongo/harness';

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Far longer than a busy machine makes a heart miss. */
const options: LeaseOptions = { ttl: 20_000, interval: 50 };
const BRIEFLY: LeaseOptions = { ttl: 1_500, interval: 50 };
const mongo = server();
const log = pino({ level: 'silent' });
let database = 0;
const db = () => mongo.client.db(`${mongo.db.databaseName}_${database}`);

/** One process that does whatever it holds, and says what that is. */
class Runner {
  readonly leases: Leases;
  doing: readonly string[] = [];
  private readonly beating = new AbortController();
  private readonly working = new AbortController();
  private readonly ended: Promise<unknown>;

  constructor(given: LeaseOptions) {
    this.leases = new Leases(db(), NAMES, log, given);
    const work = async ({ names, signal }: Term): Promise<void> => {
      this.doing = names;
      for (const name of names) {
        if (doneBy.has(name)) clashes.push(name);
        doneBy.set(name, this);
      }
      while (!signal.aborted) await abortableDelay(60_000, signal);
      for (const name of names) doneBy.delete(name);
      this.doing = [];
    };
    this.ended = Promise.all([
      this.leases.run(this.beating.signal),
      this.leases.hold(NAMES, this.working.signal, work),
    ]);
  }

  /** No longer gives signs of life, as when the process or its machine hangs. */
  freeze(): void {
    this.beating.abort();
  }

  async stop(): Promise<void> {
    this.beating.abort();
    this.working.abort();
    await this.ended;
    await this.leases.release();
  }
}

const doneBy = new Map<string, Runner>();
const clashes: string[] = [];
let runners: Runner[] = [];
const start = (given = options): Runner => {
  const runner = new Runner(given);
  runners.push(runner);
  return runner;
};

beforeEach(() => {
  database++;
  doneBy.clear();
  clashes.length = 0;
});
afterEach(async () => {
  await Promise.all(runners.map((runner) => runner.stop()));
  runners = [];
  await db().dropDatabase();
});

describe('leases', () => {
  it('give everything to one who is alone', async () => {
    const only = start();
    await until(() => only.doing.length === NAMES.length);
  });

  it('are shared out evenly, and nothing is done by two at once', async () => {
    const [first, second, third] = [start(), start(), start()];
    await until(() => [first, second, third].every(({ doing }) => doing.length === 2));
    expect(doneBy.size).toBe(NAMES.length);
    expect(clashes).toEqual([]);
  });

  it('are shared out anew when one joins, and when one goes', async () => {
    const first = start();
    await until(() => first.doing.length === NAMES.length);
    const second = start();
    await until(() => first.doing.length === 3 && second.doing.length === 3);
    await first.stop();
    await until(() => second.doing.length === NAMES.length);
    expect(clashes).toEqual([]);
  });

  it('run out when their holder gives no sign of life, who knows it by then', async () => {
    const first = start(BRIEFLY);
    await until(() => first.doing.length === NAMES.length);
    let isCurrent = (): boolean => true;
    const listening = new AbortController();
    const listened = first.leases.hold(['a'], listening.signal, async (term) => {
      isCurrent = term.isCurrent;
      while (!term.signal.aborted) await abortableDelay(60_000, term.signal);
    });
    await until(() => isCurrent());
    first.freeze();
    const second = start();
    await until(() => second.doing.length === NAMES.length);
    expect(isCurrent()).toBe(false);
    listening.abort();
    await listened;
  });

  it('tell what the living have to tell', async () => {
    const first = start();
    await until(async () => (await first.leases.news())[0]?.holds.length === NAMES.length);
    expect(await first.leases.news()).toEqual([{ owner: first.leases.owner, holds: NAMES, news: {} }]);
  });

  it('let every process hear what another has rung for', async () => {
    const first = start();
    const leases = db().collection<{ _id: string; rung?: number }>('leases');
    asked.ring();
    await until(async () => {
      const told = await leases.findOne({ _id: `runner:${first.leases.owner}` });
      return told?.rung === asked.rung;
    });
    const other = { owner: 'other', epoch: 0, expiresAt: new Date(Date.now() + 3_600_000) };
    for (const rung of [1, 2]) {
      const { heard } = asked;
      await leases.updateOne({ _id: 'runner:other' }, { $set: { ...other, rung } }, { upsert: true });
      await until(() => asked.heard > heard);
    }
  });
});
