import { type WorkflowCommand, WorkflowRunner } from '../../../infra/mongo';
import { DomainError, type EventBatch, type RecordedEvent, type Workflow } from '../../../packages/eventsourcing';
import { recorded } from '../../../packages/eventsourcing/testing';
import { server } from '../mongo/harness';

type Noted = { type: 'Noted' | 'Asked'; data: { n: number } };

/** Remembers every number noted; asked, it sends them all. */
const sumUp: Workflow<readonly number[], Noted> = {
  name: 'when-asked-then-sum-up',
  version: 1,
  handles: ['Noted', 'Asked'],
  initialState: [],
  evolve: (noted, { type, data }) => (type === 'Noted' ? [...noted, data.n] : noted),
  react: ({ type, metadata }, noted) =>
    type === 'Asked' ? noted.map((n) => ({ type: 'Send', data: { n }, at: metadata.occurredAt })) : [],
};

const mongo = server();
let database = 0;
let sent: WorkflowCommand[];
let dispatch: (command: WorkflowCommand) => Promise<void>;
const db = () => mongo.client.db(`${mongo.db.databaseName}_${database}`);
const runner = async (): Promise<WorkflowRunner> => {
  const started = new WorkflowRunner(
    db(),
    sumUp,
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

const event = (position: number, type: Noted['type'], tenant = 'acme'): RecordedEvent =>
  recorded({ type, data: { n: position } }, { category: 'note', id: '1', position, tenant });
const batch = (...events: RecordedEvent[]): EventBatch => ({
  events,
  position: events[events.length - 1]!.position,
  caughtUp: true,
});
const numbersSent = () => sent.map(({ data }) => (data as { n: number }).n);

describe('the workflow runner', () => {
  it('sends commands with ids that follow from the event', async () => {
    await (await runner()).apply(batch(event(1, 'Noted'), event(2, 'Noted'), event(3, 'Asked')));
    expect(numbersSent()).toEqual([1, 2]);
    expect(sent[0]).toMatchObject({ tenant: 'acme', causationId: 'event-3', correlationId: 'command-3' });
    const first = sent.map(({ commandId }) => commandId);
    expect(new Set(first).size).toBe(2);

    sent = [];
    await db().dropDatabase();
    await (await runner()).apply(batch(event(1, 'Noted'), event(2, 'Noted'), event(3, 'Asked')));
    expect(sent.map(({ commandId }) => commandId)).toEqual(first);
  });

  it('remembers its state and its place over a restart, tenant by tenant', async () => {
    await (await runner()).apply(batch(event(1, 'Noted'), event(2, 'Noted', 'globex')));
    const restarted = await runner();
    expect(await restarted.position()).toBe(2n);
    await restarted.apply(batch(event(3, 'Asked')));
    expect(numbersSent()).toEqual([1]);
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
    expect(numbersSent()).toEqual([1, 2]);
    expect(await started.position()).toBe(3n);
  });

  it('parks the reason when the domain refuses a command, and goes on', async () => {
    dispatch = () => Promise.reject(new DomainError('enrollment-completed', 'no'));
    const started = await runner();
    await started.apply(batch(event(1, 'Noted'), event(2, 'Asked')));
    expect(await started.position()).toBe(2n);
    expect(await db().collection('parked').find().toArray()).toEqual([
      expect.objectContaining({ consumer: 'when-asked-then-sum-up_v1', position: '2', reason: 'DomainError: no' }),
    ]);
  });
});
