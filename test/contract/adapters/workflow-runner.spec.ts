import {
  Parked,
  type ParkedDocument,
  type WorkflowCommand,
  WorkflowRedrive,
  WorkflowRunner,
  WorkflowStates,
} from '../../../infra/mongo';
import {
  DomainError,
  type EventBatch,
  type EventStore,
  type RecordedEvent,
  type Workflow,
} from '../../../packages/eventsourcing';
import { recorded } from '../../../packages/eventsourcing/testing';
import { server } from '../mongo/harness';

interface Note {
  readonly who: string;
  readonly n: number;
}
type Noted = { type: 'Noted' | 'Asked' | 'FactorSet'; data: Note };
interface Notes {
  readonly who: string;
  readonly numbers: readonly number[];
}

const send = (n: number, to: string, at: string) => ({ type: 'Send', data: { n, to }, at });

/** Remembers what each noted; asked, it sends them all, times a factor that holds for everybody. */
const sumUp: Workflow<number, Notes, Noted> = {
  name: 'sums',
  version: 1,
  handles: ['Noted', 'Asked', 'FactorSet'],
  key: ({ type, data }) => (type === 'FactorSet' ? undefined : data.who),
  initialShared: 1,
  initialOwn: { who: '', numbers: [] },
  evolveShared: (_factor, { data }) => data.n,
  evolveOwn: (own, { type, data }) => (type === 'Noted' ? { who: data.who, numbers: [...own.numbers, data.n] } : own),
  reactions: [
    {
      name: 'when-asked-then-sum-up',
      on: ['Asked'],
      react: ({ data, metadata }, _before, { shared, own }) =>
        own.numbers.map((n) => send(n * shared, data.who, metadata.occurredAt)),
    },
    {
      name: 'when-factor-set-then-tell',
      on: ['FactorSet'],
      react: ({ metadata }, before, after) => [send(after.shared - before.shared, after.own.who, metadata.occurredAt)],
    },
  ],
};

const mongo = server();
let database = 0;
let sent: WorkflowCommand[];
let dispatch: (command: WorkflowCommand) => Promise<void>;
const db = () => mongo.client.db(`${mongo.db.databaseName}_${database}`);
const runner = async (workflows = [sumUp]): Promise<WorkflowRunner> => {
  const started = new WorkflowRunner(
    db(),
    [workflows],
    (command) => dispatch(command),
    (error) => error instanceof DomainError,
  );
  await started.position();
  return started;
};

beforeEach(() => {
  database++;
  sent = [];
  dispatch = (command) => Promise.resolve(void sent.push(command));
});
afterEach(() => db().dropDatabase());

function event(
  position: number,
  type: Noted['type'],
  { who = 'ann', n = position, tenant = 'acme' } = {},
): RecordedEvent {
  return recorded({ type, data: { who, n } }, { category: 'note', id: who, position, tenant });
}
const batch = (...events: RecordedEvent[]): EventBatch => ({
  events,
  position: events[events.length - 1]!.position,
  caughtUp: true,
});
const dataSent = () => sent.map(({ data }) => data);

describe('the workflow runner', () => {
  it('sends commands with ids that follow from the event', async () => {
    await (await runner()).apply(batch(event(1, 'Noted'), event(2, 'Noted'), event(3, 'Asked')));
    expect(dataSent()).toEqual([
      { n: 1, to: 'ann' },
      { n: 2, to: 'ann' },
    ]);
    expect(sent[0]).toMatchObject({
      reaction: 'when-asked-then-sum-up',
      tenant: 'acme',
      causationId: 'event-3',
      correlationId: 'command-3',
    });
    const first = sent.map(({ commandId }) => commandId);
    expect(new Set(first).size).toBe(2);

    sent = [];
    await db().dropDatabase();
    await (await runner()).apply(batch(event(1, 'Noted'), event(2, 'Noted'), event(3, 'Asked')));
    expect(sent.map(({ commandId }) => commandId)).toEqual(first);
  });

  it('remembers its state and its place over a restart, apart for each tenant and key', async () => {
    const notes = batch(event(1, 'Noted'), event(2, 'Noted', { tenant: 'globex' }), event(3, 'Noted', { who: 'bob' }));
    await (await runner()).apply(notes);
    const restarted = await runner();
    expect(await restarted.position()).toBe(3n);
    await restarted.apply(batch(event(4, 'Asked')));
    expect(dataSent()).toEqual([{ n: 1, to: 'ann' }]);
  });

  it('does not count an event twice that comes again after its state was saved', async () => {
    const started = await runner();
    await started.apply(batch(event(1, 'Noted')));
    await db().collection<{ _id: string }>('checkpoints').deleteMany({});
    const restarted = await runner();
    await restarted.apply(batch(event(1, 'Noted'), event(2, 'Asked')));
    expect(dataSent()).toEqual([{ n: 1, to: 'ann' }]);
  });

  it('does not go on when a command cannot be sent, and sends the same ones again', async () => {
    const started = await runner();
    await started.apply(batch(event(1, 'Noted'), event(2, 'Noted')));
    let away = true;
    dispatch = (command) => (away ? Promise.reject(new Error('away')) : Promise.resolve(void sent.push(command)));
    await expect(started.apply(batch(event(3, 'Asked')))).rejects.toThrow('away');
    expect(await started.position()).toBe(2n);
    away = false;
    await started.apply(batch(event(3, 'Asked')));
    expect(dataSent()).toHaveLength(2);
    expect(await started.position()).toBe(3n);
  });

  it('parks the reason when the domain refuses a command, and goes on', async () => {
    dispatch = () => Promise.reject(new DomainError('enrollment-completed', 'no'));
    const started = await runner();
    await started.apply(batch(event(1, 'Noted'), event(2, 'Asked')));
    expect(await started.position()).toBe(2n);
    expect(await db().collection('parked').find().toArray()).toEqual([
      expect.objectContaining({ consumer: 'when-asked-then-sum-up', position: '2', reason: 'DomainError: no' }),
    ]);
  });

  it('asks for everybody when what is shared changes, with the shared state as it was at each event', async () => {
    const started = await runner();
    const events = [
      event(1, 'Noted'),
      event(2, 'Noted', { who: 'bob' }),
      event(3, 'FactorSet', { n: 10 }),
      event(4, 'Noted', { who: 'eve' }),
      event(5, 'Asked'),
    ];
    await started.apply(batch(...events));
    expect(dataSent()).toEqual([
      { n: 9, to: 'ann' },
      { n: 9, to: 'bob' },
      { n: 10, to: 'ann' },
    ]);
  });

  it('stores once what many events make of what is shared, where nobody reacts to them, and takes none twice', async () => {
    const product: typeof sumUp = {
      ...sumUp,
      name: 'product',
      evolveShared: (factor, { data }) => {
        if (data.n === 0) throw new Error('nothing is left of it');
        return factor * data.n;
      },
      reactions: sumUp.reactions.slice(0, 1),
    };
    const set = (position: number, n: number, tenant = 'acme') => event(position, 'FactorSet', { n, tenant });
    const factors = [set(2, 2), set(3, 5), set(4, 9, 'globex'), set(5, 0), set(6, 7)];
    const writing = jest.spyOn(WorkflowStates.prototype, 'write');
    await (await runner([product])).apply(batch(event(1, 'Noted'), ...factors));
    expect(writing).toHaveBeenCalledTimes(3); // of ann, and of two tenants
    writing.mockRestore();
    expect(await db().collection<ParkedDocument>('parked').countDocuments()).toBe(1);
    // As if it had died before its checkpoint moved.
    await db().collection('checkpoints').deleteMany({});
    await (await runner([product])).apply(batch(event(1, 'Noted'), ...factors, event(7, 'Asked')));
    expect(dataSent()).toEqual([{ n: 70, to: 'ann' }]);
  });

  it('goes on with everybody from where it was cut short', async () => {
    const everybody = Array.from({ length: 1_200 }, (_, n) => `p${String(n).padStart(4, '0')}`);
    const started = await runner();
    await started.apply(batch(...everybody.map((who, n) => event(n + 1, 'Noted', { who }))));
    const set = event(5_000, 'FactorSet', { n: 2 });
    dispatch = (command) => {
      if (sent.length === 700) return Promise.reject(new Error('away'));
      return Promise.resolve(void sent.push(command));
    };
    await expect(started.apply(batch(set))).rejects.toThrow('away');
    const sweeps = db().collection('workflow_sweeps');
    expect(await sweeps.findOne()).toMatchObject({ type: 'FactorSet', done: 500, total: 1_200, finished: false });

    dispatch = (command) => Promise.resolve(void sent.push(command));
    await (await runner()).apply(batch(set));
    const ids = new Map(sent.map(({ commandId, data }) => [commandId, (data as { to: string }).to]));
    expect([...ids.values()].sort()).toEqual(everybody);
    expect(sent.length).toBe(1_200 + 200);
    expect(await sweeps.findOne()).toMatchObject({ done: 1_200, finished: true });
  });

  it('starts a workflow that is new, or has a new version, at the beginning, and leaves the others where they are', async () => {
    await (await runner()).apply(batch(event(1, 'Noted'), event(2, 'Asked')));
    sent = [];
    const both = await runner([sumUp, { ...sumUp, version: 2 }]);
    expect(await both.position()).toBeUndefined();
    await both.apply(batch(event(1, 'Noted')));
    await both.apply(batch(event(1, 'Noted'), event(2, 'Asked'), event(3, 'Asked')));
    expect(sent.map(({ causationId }) => causationId)).toEqual(['event-3', 'event-2', 'event-3']);
  });

  describe('given an event that a workflow fails on', () => {
    let isMended: boolean;
    const fails = (n: number): void => {
      if (n === 13 && !isMended) throw new Error('cannot take 13');
    };
    /** Fails where it is told to, and beside it runs one that does not. */
    const failing = (where: Partial<typeof sumUp>): (typeof sumUp)[] => [
      { ...sumUp, name: 'failing', ...where },
      { ...sumUp, reactions: sumUp.reactions.map((each) => ({ ...each, name: `${each.name}-too` })) },
    ];
    const ofFailing = () => sent.filter(({ reaction }) => !reaction.endsWith('-too')).map(({ data }) => data);
    const parked = () => db().collection<ParkedDocument>('parked').find().sort({ _id: 1 }).toArray();
    const inEvolve: Partial<typeof sumUp> = {
      evolveOwn: (own, noted) => {
        fails(noted.data.n);
        return sumUp.evolveOwn(own, noted);
      },
    };
    const inReact: Partial<typeof sumUp> = {
      reactions: sumUp.reactions.map((each) => ({
        ...each,
        react: (noted, before, after) => {
          fails(after.own.numbers.at(-1)! + noted.data.n);
          return each.react(noted, before, after);
        },
      })),
    };
    const inShared: Partial<typeof sumUp> = {
      evolveShared: (factor, set) => {
        fails(set.data.n);
        return sumUp.evolveShared(factor, set);
      },
    };
    beforeEach(() => (isMended = false));

    /** Asks for what is parked, and drives it again over this log. */
    async function redrive(workflows: (typeof sumUp)[], log: RecordedEvent[]): Promise<void> {
      isMended = true;
      sent = [];
      const started = await runner(workflows);
      const store = {
        async *subscribeToAll() {
          yield await Promise.resolve({ ...batch(...log) });
        },
      } as unknown as EventStore;
      const redriving = new WorkflowRedrive(db(), workflows, started.steps, store);
      expect(await redriving.isAsked()).toBe(false);
      await new Parked(db()).ask((await parked()).map(({ _id }) => _id));
      expect(await redriving.isAsked()).toBe(true);
      await redriving.run();
    }

    it('when it folds it, then it is parked for that workflow and key, and taken in its place when it is driven again', async () => {
      const workflows = failing(inEvolve);
      const started = await runner(workflows);
      const [ann, bob] = [{ who: 'ann' }, { who: 'bob' }];
      const log = [event(1, 'Noted', ann), event(2, 'Noted', { ...ann, n: 13 }), event(3, 'Noted', ann)];
      log.push(event(4, 'Noted', bob), event(5, 'Asked', bob), event(6, 'Asked', ann));
      await started.apply(batch(...log));
      expect(await started.position()).toBe(6n);
      expect(ofFailing()).toEqual([
        { n: 4, to: 'bob' },
        { n: 1, to: 'ann' },
        { n: 3, to: 'ann' },
      ]);
      expect(sent).toHaveLength(3 + 4);
      expect(await parked()).toEqual([
        expect.objectContaining({ consumer: 'failing_v1', position: '2', key: 'ann', reason: 'Error: cannot take 13' }),
      ]);

      await redrive(workflows, log);
      expect(await parked()).toEqual([]);
      expect(sent).toEqual([]); // a note leads to nothing by itself
      await (await runner(workflows)).apply(batch(event(7, 'Asked', ann)));
      expect(ofFailing().map((data) => (data as { n: number }).n)).toEqual([1, 13, 3]);
    });

    it('when it reacts to it, then that reaction is parked, and its commands are sent when it is driven again', async () => {
      const workflows = failing(inReact);
      const started = await runner(workflows);
      const log = [event(1, 'Noted'), event(2, 'Asked', { n: 12 }), event(3, 'Noted'), event(4, 'Asked')];
      await started.apply(batch(...log));
      expect(ofFailing().map((data) => (data as { n: number }).n)).toEqual([1, 3]);
      expect(await parked()).toEqual([
        expect.objectContaining({ consumer: 'when-asked-then-sum-up', position: '2', key: 'ann' }),
      ]);

      await redrive(workflows, log);
      expect(sent).toMatchObject([{ data: { n: 1, to: 'ann' }, causationId: 'event-2' }]);
      expect(await parked()).toEqual([]);
    });

    it('when it concerns everybody, then it is parked for the tenant, and everybody is asked when it is driven again', async () => {
      const workflows = failing(inShared);
      const started = await runner(workflows);
      const log = [event(1, 'Noted'), event(2, 'Noted', { who: 'bob' }), event(3, 'FactorSet', { n: 13 })];
      await started.apply(batch(...log));
      expect(ofFailing()).toEqual([]);
      expect(sent).toHaveLength(2);
      expect(await parked()).toEqual([expect.objectContaining({ consumer: 'failing_v1', position: '3', key: '' })]);

      await redrive(workflows, log);
      expect(ofFailing()).toEqual([
        { n: 12, to: 'ann' },
        { n: 12, to: 'bob' },
      ]);
      await (await runner(workflows)).apply(batch(event(4, 'Asked')));
      expect(ofFailing().at(-1)).toEqual({ n: 13, to: 'ann' });
    });

    it('when it fails again, then it stays parked', async () => {
      const workflows = failing(inEvolve);
      const started = await runner(workflows);
      const log = [event(1, 'Noted', { n: 13 })];
      await started.apply(batch(...log));
      const mended = workflows[0]!;
      const stillFailing = [{ ...mended, evolveOwn: () => fails(13) as never }, workflows[1]!];
      isMended = false;
      await new Parked(db()).ask((await parked()).map(({ _id }) => _id));
      await new WorkflowRedrive(db(), stillFailing, (await runner(stillFailing)).steps, {
        async *subscribeToAll() {
          yield await Promise.resolve(batch(...log));
        },
      } as unknown as EventStore).run();
      const [still] = await parked();
      expect(still).toMatchObject({ position: '1', consumer: 'failing_v1' });
      expect(still!.redriving).toBeUndefined();
    });
  });
});
