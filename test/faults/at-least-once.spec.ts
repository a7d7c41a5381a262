import fc from 'fast-check';
import type { Collection, Db } from 'mongodb';
import { workflowLanes } from '../../apps/projector/workflow-lanes';
import { eventCatalog } from '../../apps/shared/event-catalog';
import { Checkpoints, MongoProjector, type WorkflowCommand, WorkflowRunner } from '../../infra/mongo';
import { attemptIdOf } from '../../packages/assessment';
import {
  collectionName,
  CommandPipeline,
  derivedId,
  DomainError,
  type RecordedEvent,
} from '../../packages/eventsourcing';
import { mongoProjections } from '../../projections';
import { server } from '../contract/mongo/harness';
import { attestStore, newTenant } from '../contract/adapters/attest-store';
import { sendCommand } from '../contract/adapters/command-door';

const used = attestStore();
const mongo = server();

class Killed extends Error {}

/** When a process dies: before or after one of its effects, counted from 1 as they begin. */
interface Death {
  readonly moment: 'before' | 'after';
  readonly effect: number;
}

/** The stores cannot tell a death after one effect from one before the next: it is tried at full size only. */
const MOMENTS = process.env.ATTEST_TEST_FULL_SIZE ? (['before', 'after'] as const) : (['before'] as const);

/** Dies when it is told to, and does nothing more from then on. */
class Process {
  effects = 0;
  private isDead = false;

  constructor(private readonly death?: Death) {}

  async effect<T>(work: () => Promise<T>): Promise<T> {
    const effect = ++this.effects;
    this.pass({ moment: 'before', effect });
    const result = await work();
    this.pass({ moment: 'after', effect });
    return result;
  }

  private pass({ moment, effect }: Death): void {
    if (this.death?.moment === moment && this.death.effect === effect) this.isDead = true;
    if (this.isDead) throw new Killed();
  }

  /** The database, with every write of this process an effect. */
  database(db: Db): Db {
    const writes = ['replaceOne', 'updateOne', 'bulkWrite'];
    const watched = (collection: Collection): Collection =>
      new Proxy(collection, {
        get: (target, name) => {
          const member = Reflect.get(target, name) as unknown;
          if (typeof member !== 'function') return member;
          const method = (member as (...parameters: unknown[]) => unknown).bind(target);
          if (!writes.includes(String(name))) return method;
          return (...parameters: unknown[]) => this.effect(() => method(...parameters) as Promise<unknown>);
        },
      });
    return new Proxy(db, {
      get: (target, name) =>
        name === 'collection'
          ? (collection: string) => watched(target.collection(collection))
          : (Reflect.get(target, name) as unknown),
    });
  }
}

const [person, boss, next] = ['person', 'boss', 'next'].map((name) => derivedId('crash', name)) as [string, string, string]; // prettier-ignore
const attempt = {
  attempt: attemptIdOf({ person, assessment: 'final', number: 1 }),
  person,
  course: 'leadership',
  assessment: 'final',
};
const staff = { role: 'staff', jobTitle: 'Staff', orgUnit: 'd1' };
/** What senders say; everything else follows by itself. */
const STORY: [on: string, type: string, data: object][] = [
  ['2026-01-01', 'PublishCourse', { course: 'leadership', title: 'Leadership', assessment: 'final', validity: { kind: 'days', days: 30 } }],
  ['2026-01-01', 'PublishAssignmentRule', { rule: 'leaders', audience: { anyOf: [{ roles: ['leader'] }] }, courses: ['leadership'] }],
  ['2026-02-01', 'HirePerson', { person: next, employeeNumber: '1', ...staff }],
  ['2026-02-01', 'HirePerson', { person: boss, employeeNumber: '2', ...staff, manager: next }],
  ['2026-02-01', 'HirePerson', { person, employeeNumber: '3', ...staff, manager: boss }],
  ['2026-03-01', 'ChangeRole', { person, jobTitle: 'Leader', role: 'leader' }],
  ['2026-03-02', 'EnrollLearner', { person, course: 'first-aid' }],
  ['2026-03-10', 'RecordAttempt', { ...attempt, score: { raw: 9, max: 10, passMark: 5 } }],
  ['2026-03-15', 'PublishAssignmentRule', { rule: 'everyone', audience: { everyone: true }, courses: ['conduct'], due: { kind: 'in-days', days: 30 } }],
  ['2026-02-15', 'ChangeRole', { person, jobTitle: 'Senior', role: 'senior' }],
  ['2026-04-01', 'TerminatePerson', { person: boss }],
  ['2026-04-10', 'ExpireCertification', { person, course: 'leadership', expiresOn: '2026-04-09' }],
  ['2026-05-01', 'TerminatePerson', { person }],
]; // prettier-ignore

let database = 0;
/** Stories that are told at once, each to a tenant of its own: most of the time goes into waiting for disks. */
const AT_ONCE = 24;

/** What the log holds of a tenant, without the tenant's name, in the order of streams. */
type Log = readonly object[];

async function eventsOf(tenant: string, after?: bigint): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const batch of used.store.subscribeToAll({ streamPrefix: `${tenant}.`, after })) {
    events.push(...batch.events);
    if (batch.caughtUp) break;
  }
  return events;
}

/** Lets one process do what there is to do, until nothing new comes of it. */
async function work(process: Process, db: Db, tenant: string): Promise<void> {
  const pipeline = new CommandPipeline(used.store, eventCatalog);
  const dispatch = ({ reaction, tenant, commandId, correlationId, causationId, ...command }: WorkflowCommand) =>
    process.effect(() =>
      sendCommand(pipeline, command, {
        tenant,
        commandId,
        correlationId,
        causationId,
        actor: { sub: reaction, roles: ['service'], via: `workflow:${reaction}` },
      }),
    );
  const isFinal = (error: unknown): boolean => error instanceof DomainError;
  const runner = new WorkflowRunner(process.database(db), workflowLanes, dispatch, isFinal);
  for (;;) {
    const events = await eventsOf(tenant, await runner.position());
    if (events.length === 0) return;
    await runner.apply({ events, position: events[events.length - 1]!.position, caughtUp: true });
  }
}

/** Tells the story to a tenant of its own, and lets processes work on it, the first of which is killed. */
async function run(death?: Death): Promise<{ effects: number; log: Log; events: readonly RecordedEvent[] }> {
  const tenant = newTenant();
  const db = mongo.client.db(`${mongo.db.databaseName}_${database++}`);
  const head = (await used.store.head()) ?? 0n;
  const checkpoints = new Checkpoints(db);
  for (const { name, version } of workflowLanes.flat()) await checkpoints.write(`${name}_v${version}`, head);
  const first = new Process(death);
  let process = first;
  const catchUp = async (): Promise<void> => {
    try {
      await work(process, db, tenant);
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      process = new Process();
      await work(process, db, tenant);
    }
  };
  const pipeline = new CommandPipeline(used.store, eventCatalog);
  for (const [index, [at, type, data]] of STORY.entries()) {
    if (type === 'ExpireCertification') await catchUp(); // it was earned by then
    const commandId = derivedId('story', index);
    const actor = { sub: 'teller', roles: ['admin'], via: 'test' };
    const context = { tenant, commandId, correlationId: commandId, causationId: commandId, actor };
    await sendCommand(pipeline, { type, data, at }, context);
  }
  await catchUp();
  await db.dropDatabase();
  const events = await eventsOf(tenant, head || undefined);
  const log = events
    .map(({ stream, revision, type, data, id, metadata }) => ({
      stream: stream.slice(tenant.length),
      revision,
      type,
      data,
      id,
      at: metadata.occurredAt,
      cause: metadata.$causationId,
    }))
    .sort((a, b) => (a.stream === b.stream ? a.revision - b.revision : a.stream < b.stream ? -1 : 1));
  return { effects: first.effects, log, events };
}

it('killing the process before or after any effect and going on gives the same events', async () => {
  const { effects, log } = await run();
  const types = new Set(log.map((event) => (event as { type: string }).type));
  for (const type of ['LearnerEnrolled', 'LearnerCertified', 'CertificationExpired', 'LearnerWithdrawn', 'ReportingLineLeft', 'ReportingLineChanged'])
    expect(types).toContain(type);
  expect(effects).toBeGreaterThan(25);
  const deaths = Array.from({ length: effects }, (_, index) => MOMENTS.map((moment) => ({ moment, effect: index + 1 }))).flat();
  while (deaths.length > 0) {
    const killed = deaths.splice(0, AT_ONCE).map(async (death) => {
      expect({ death, log: (await run(death)).log }).toEqual({ death, log });
    });
    await Promise.all(killed);
  }
}, 1_500_000); // prettier-ignore

/** Every read model after these deliveries, in the order of ids. */
async function readModelsAfter(deliveries: readonly (readonly RecordedEvent[])[]): Promise<unknown> {
  const db = mongo.client.db(`${mongo.db.databaseName}_${database++}`);
  const projector = new MongoProjector(db, mongoProjections);
  await projector.position();
  for (const events of deliveries.filter(({ length }) => length > 0)) {
    await projector.apply({ events, position: events[events.length - 1]!.position, caughtUp: true });
  }
  const names = mongoProjections.map(collectionName);
  const all = names.map(async (name) => [name, await db.collection(name).find().sort({ _id: 1 }).toArray()] as const);
  const documents = await Promise.all(all);
  expect(await db.collection('parked').countDocuments()).toBe(0);
  await db.dropDatabase();
  return documents;
}

it('any interleaving of redelivered events ends in the same read models', async () => {
  const { events } = await run();
  const once = await readModelsAfter([events]);
  const step = fc.record({ back: fc.nat(events.length), on: fc.nat(15) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
      // As a consumer reads: on from its checkpoint, which a crash may leave anywhere before what it has applied.
      let checkpoint = 0;
      const deliveries = steps.map(({ back, on }) => {
        checkpoint = Math.max(0, checkpoint - back);
        return events.slice(checkpoint, (checkpoint = Math.min(events.length, checkpoint + on)));
      });
      expect(await readModelsAfter([...deliveries, events.slice(checkpoint)])).toEqual(once);
    }),
    { numRuns: process.env.ATTEST_TEST_FULL_SIZE ? 25 : 10 },
  );
});
