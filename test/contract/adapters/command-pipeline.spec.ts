import { randomUUID } from 'node:crypto';
import { eventCatalog } from '../../../apps/shared/event-catalog';
import { enrollmentDecider, enrollmentIdOf } from '../../../packages/enrollment';
import {
  CHAIN_START,
  chainHash,
  CommandPipeline,
  DomainError,
  type RecordedEvent,
  RevisionMismatchError,
} from '../../../packages/eventsourcing';
import { attestStore, contextOf, newTenant } from './attest-store';

const context = attestStore();
const at = '2026-03-01T00:00:00.000Z';
const course = 'safety';

const pipeline = (): CommandPipeline => new CommandPipeline(context.store, eventCatalog);
const newPerson = (): string => randomUUID();
const command = (type: string, person: string, data: object = {}) => ({ type, at, data: { person, course, ...data } });

async function history(tenant: string, person: string): Promise<RecordedEvent[]> {
  const events = [];
  for await (const event of context.store.readStream(`${tenant}.enrollment-${enrollmentIdOf(person, course)}`))
    events.push(event);
  return events;
}

describe('the command pipeline', () => {
  it('appends what was decided and says where', async () => {
    const [tenant, person] = [newTenant(), newPerson()];
    const result = await pipeline().handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    const [event] = await history(tenant, person);
    expect(result).toEqual({
      stream: event!.stream,
      revision: 0,
      position: event!.position,
      events: ['LearnerEnrolled'],
      outcome: 'accepted',
    });
    expect(event!.metadata).toMatchObject({ schema: 2, tenant, occurredAt: at, actor: { sub: 'tester' } });
  });

  it.each([
    ['the process that handled it', (first: CommandPipeline) => first],
    ['another process', () => pipeline()],
  ])('knows a command that is sent again to %s', async (_, next) => {
    const [tenant, person, first] = [newTenant(), newPerson(), pipeline()];
    const once = contextOf(tenant);
    const enrolled = await first.handle(enrollmentDecider, command('EnrollLearner', person), once);
    const withdrawal = contextOf(tenant);
    const withdrawn = await first.handle(enrollmentDecider, command('WithdrawLearner', person), withdrawal);
    const again = next(first);
    expect(await again.handle(enrollmentDecider, command('EnrollLearner', person), once)).toEqual({
      ...enrolled,
      outcome: 'already-known',
    });
    expect(await again.handle(enrollmentDecider, command('WithdrawLearner', person), withdrawal)).toEqual({
      ...withdrawn,
      outcome: 'already-known',
    });
    expect(await history(tenant, person)).toHaveLength(2);
  });

  it('appends nothing when nothing changes', async () => {
    const [tenant, person, handling] = [newTenant(), newPerson(), pipeline()];
    await handling.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    const again = await handling.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    expect(again).toMatchObject({ revision: 0, events: [], outcome: 'already-known' });
  });

  it('looks another aggregate up as its stream has it now', async () => {
    const [tenant, person] = [newTenant(), newPerson()];
    const [one, other] = [pipeline(), pipeline()];
    const id = enrollmentIdOf(person, course);
    expect(await one.stateOf(enrollmentDecider, tenant, id)).toEqual(enrollmentDecider.initialState);
    await one.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    expect(await one.stateOf(enrollmentDecider, tenant, id)).toMatchObject({ status: 'open' });
    await other.handle(enrollmentDecider, command('WithdrawLearner', person), contextOf(tenant));
    expect(await one.stateOf(enrollmentDecider, tenant, id)).toMatchObject({ status: 'withdrawn' });
  });

  it('decides again on what another process did meanwhile', async () => {
    const [tenant, person, one, other] = [newTenant(), newPerson(), pipeline(), pipeline()];
    await one.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    await other.handle(enrollmentDecider, command('WithdrawLearner', person), contextOf(tenant));
    // `one` still holds the open enrollment in its cache.
    const enrolled = await one.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    expect(enrolled).toMatchObject({ revision: 2, outcome: 'accepted' });
  });

  it('refuses only on what the store says, not on what it remembers', async () => {
    const [tenant, person, one, other] = [newTenant(), newPerson(), pipeline(), pipeline()];
    await one.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    await one.handle(enrollmentDecider, command('WithdrawLearner', person), contextOf(tenant));
    await other.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    const completed = await one.handle(enrollmentDecider, command('CompleteEnrollment', person), contextOf(tenant));
    expect(completed).toMatchObject({ revision: 3, events: ['EnrollmentCompleted'] });
  });

  it('records nothing of a broken rule', async () => {
    const [tenant, person] = [newTenant(), newPerson()];
    const handled = pipeline().handle(enrollmentDecider, command('CompleteEnrollment', person), contextOf(tenant));
    await expect(handled).rejects.toBeInstanceOf(DomainError);
    await expect(handled).rejects.toMatchObject({ code: 'not-enrolled' });
    expect(await history(tenant, person)).toEqual([]);
  });

  it('keeps to the revision that the caller saw', async () => {
    const [tenant, person, handling] = [newTenant(), newPerson(), pipeline()];
    await handling.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    const stale = { ...contextOf(tenant), expectedRevision: 4 };
    await expect(handling.handle(enrollmentDecider, command('WithdrawLearner', person), stale)).rejects.toBeInstanceOf(
      RevisionMismatchError,
    );
    const fresh = { ...contextOf(tenant), expectedRevision: 0 };
    expect(await handling.handle(enrollmentDecider, command('WithdrawLearner', person), fresh)).toMatchObject({
      revision: 1,
    });
  });

  it('lets many processes write to one stream at once, each command once', async () => {
    const [tenant, person] = [newTenant(), newPerson()];
    const processes = [pipeline(), pipeline(), pipeline()];
    const types = ['EnrollLearner', 'WithdrawLearner'];
    const commands = Array.from({ length: 30 }, (_, i) => ({ ...command(types[i % 2]!, person), id: randomUUID() }));
    const send = (process: CommandPipeline) =>
      Promise.allSettled(
        commands.map(({ id, ...each }) => process.handle(enrollmentDecider, each, contextOf(tenant, id))),
      );
    await Promise.all(processes.map(send));
    const events = await history(tenant, person);
    expect(events.map(({ revision }) => revision)).toEqual(events.map((_, i) => i));
    const ids = events.map(({ metadata }) => metadata.commandId);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [i, event] of events.entries()) {
      expect(event.type).toBe(i % 2 === 0 ? 'LearnerEnrolled' : 'LearnerWithdrawn');
    }
  });

  it('appends what waits for one stream together, and answers each for itself', async () => {
    const [tenant, person, handling] = [newTenant(), newPerson(), pipeline()];
    const appends = jest.spyOn(context.store, 'append');
    const send = (type: string, more: object = {}, decider = enrollmentDecider) =>
      handling.handle(decider, command(type, person), { ...contextOf(tenant), ...more });
    const once = contextOf(tenant);
    const results = await Promise.allSettled([
      send('EnrollLearner', once),
      send('EnrollLearner'),
      send('CompleteEnrollment', { expectedRevision: 7 }),
      send('WithdrawLearner', { expectedRevision: 0 }),
      send('CompleteEnrollment'),
      send('EnrollLearner', once),
      send('EnrollLearner'),
    ]);
    expect(appends).toHaveBeenCalledTimes(1);
    appends.mockRestore();
    const events = await history(tenant, person);
    expect(events.map(({ type }) => type)).toEqual(['LearnerEnrolled', 'LearnerWithdrawn', 'LearnerEnrolled']);
    const { position } = events[2]!;
    const accepted = (revision: number, type: string) => ({ outcome: 'accepted', revision, position, events: [type] });
    expect(results).toMatchObject([
      { value: accepted(0, 'LearnerEnrolled') },
      { value: { outcome: 'already-known', revision: 0, position, events: [] } },
      { reason: { expected: 7, actual: 0 } },
      { value: accepted(1, 'LearnerWithdrawn') },
      { reason: { code: 'enrollment-withdrawn' } },
      { value: { ...accepted(0, 'LearnerEnrolled'), outcome: 'already-known' } },
      { value: accepted(2, 'LearnerEnrolled') },
    ]);
    await expectChained(tenant, person, 3);
  });

  it('appends one by one what the store does not take together', async () => {
    const [tenant, person, handling] = [newTenant(), newPerson(), pipeline()];
    const long = { reason: { kind: 'manual', note: 'x'.repeat(700_000) } };
    const send = (type: string, data: object = {}) =>
      handling.handle(enrollmentDecider, command(type, person, data), contextOf(tenant));
    const results = await Promise.all([
      send('EnrollLearner'),
      send('WithdrawLearner', long),
      send('EnrollLearner'),
      send('WithdrawLearner', long),
    ]);
    expect(results).toMatchObject([{ revision: 0 }, { revision: 1 }, { revision: 2 }, { revision: 3 }]);
    await expectChained(tenant, person, 4);
  });

  it('lets a command whose facts cannot be had fail alone', async () => {
    const [tenant, person, handling] = [newTenant(), newPerson(), pipeline()];
    const away = () => Promise.reject(new Error('away'));
    const [enrolled, failed, withdrawn] = await Promise.allSettled([
      handling.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant)),
      handling.handle(enrollmentDecider, command('WithdrawLearner', person), contextOf(tenant), away),
      handling.handle(enrollmentDecider, command('WithdrawLearner', person), contextOf(tenant)),
    ]);
    expect([enrolled.status, failed.status, withdrawn.status]).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expectChained(tenant, person, 2);
  });

  it('chains every event to the one before', async () => {
    const [tenant, person] = [newTenant(), newPerson()];
    const [one, other] = [pipeline(), pipeline()];
    await one.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    await other.handle(enrollmentDecider, command('WithdrawLearner', person), contextOf(tenant));
    await one.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    await expectChained(tenant, person, 3);
  });

  it('chains to what the store kept when another process had sent the same command, at another time', async () => {
    const [tenant, person] = [newTenant(), newPerson()];
    const [one, other] = [pipeline(), pipeline()];
    await one.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    const [sent, withdrawal] = [contextOf(tenant), command('WithdrawLearner', person)];
    await other.handle(enrollmentDecider, { ...withdrawal, at: '2026-04-01T00:00:00.000Z' }, sent);
    await one.handle(enrollmentDecider, withdrawal, sent);
    await one.handle(enrollmentDecider, command('EnrollLearner', person), contextOf(tenant));
    await expectChained(tenant, person, 3);
  });

  it('chains to what the store kept when another process had begun the stream with the same command', async () => {
    const [tenant, person] = [newTenant(), newPerson()];
    const [one, other] = [pipeline(), pipeline()];
    await one.handle(enrollmentDecider, command('EnrollLearner', newPerson()), contextOf(tenant));
    const [sent, enrollment] = [contextOf(tenant), command('EnrollLearner', person)];
    await other.handle(enrollmentDecider, { ...enrollment, at: '2026-04-01T00:00:00.000Z' }, sent);
    await one.handle(enrollmentDecider, enrollment, sent);
    await one.handle(enrollmentDecider, command('WithdrawLearner', person), contextOf(tenant));
    await expectChained(tenant, person, 2);
  });
});

async function expectChained(tenant: string, person: string, length: number): Promise<void> {
  const events = await history(tenant, person);
  expect(events).toHaveLength(length);
  let previous = CHAIN_START;
  for (const event of events) {
    previous = chainHash(previous, event);
    expect(event.metadata.hash).toBe(previous);
  }
}
