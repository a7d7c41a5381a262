import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { EventStoreDBClient, StreamDeletedError } from '@eventstore/db-client';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { MongoClient } from 'mongodb';
import type { VerificationResult } from '../../apps/audit/verify';
import type { GivenCopy, PrivacyStanding } from '../../apps/privacy/privacy.controller';
import { personIdOf } from '../../packages/people';
import { RunningStack, useOwnStack } from './running-stack';
import { until } from './until';

const used = useOwnStack({ environment: { ATTEST_SEAL_SECONDS: '1' } });

const TENANT = 'acme';
const NUMBER = '90017';
const PERSON = personIdOf(TENANT, NUMBER);
/** Words that stand nowhere but with this person. */
const NAME = { given: 'Zephyrine', family: 'Quackenbush' };
const EMAIL = 'zq.unmistakable@example.com';
const WORDS = ['Zephyrine', 'Quackenbush', 'zq.unmistakable', 'Zephyrina'];
const OTHER = personIdOf(TENANT, '90018');
/** A master key that takes over. */
const NEXT_KEY = 'next';
const OTHER_NAME = { given: 'Bartholomew', family: 'Stays' };

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile());
}

/** Files that hold a word, whatever engine they belong to; as text, in base64 at each offset, and in UTF-16. */
function filesWith(words: readonly string[]): string[] {
  const needles = words.flatMap((word) => [
    Buffer.from(word),
    Buffer.from(word, 'utf16le'),
    ...[0, 1, 2].map((offset) => {
      const encoded = Buffer.from(' '.repeat(offset) + word).toString('base64');
      return Buffer.from(encoded.slice(offset === 0 ? 0 : 4, Math.floor(encoded.length / 4) * 4 - 4));
    }),
  ]);
  const holds = (file: string): boolean => {
    const content = readFileSync(file);
    return needles.some((needle) => needle.length > 4 && content.includes(needle));
  };
  for (;;) {
    try {
      return filesIn(used.stack.data).filter(holds);
    } catch (error) {
      // An engine removed a file meanwhile, as ClickHouse does when it merges parts: look at all of them again.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

async function publish(kind: string, id: string, data: object): Promise<void> {
  const nats = await connect({ servers: used.stack.urls.nats! });
  const event = { specversion: '1.0', id, source: 'test', type: kind, time: '2026-03-01T00:00:00Z', data };
  await jetstream(nats, { timeout: 60_000 }).publish(`hris.${TENANT}.person.${kind}`, JSON.stringify(event));
  await nats.close();
}

interface PersonDocument {
  readonly name: object | null;
  readonly email: string | null;
  readonly status: string;
}

async function profile(person: string): Promise<PersonDocument | undefined> {
  const admin = await used.stack.as('admin');
  const { status, body } = await admin.get<PersonDocument>(`/v1/people/${person}`);
  return status === 200 ? body : undefined;
}

/** Everything that the HRIS has published was applied or refused. */
async function hrisIsRead(): Promise<boolean> {
  const nats = await connect({ servers: used.stack.urls.nats! });
  const manager = await jetstreamManager(nats, { timeout: 60_000 });
  const { num_pending, num_ack_pending } = await manager.consumers.info('HRIS', 'attest-people');
  const { config } = await manager.streams.info('HRIS');
  expect(config.max_age).toBe(90 * 24 * 3_600 * 1_000_000_000);
  await nats.close();
  return num_pending + num_ack_pending === 0;
}

async function isDestroyed(client: EventStoreDBClient, stream: string): Promise<boolean> {
  try {
    const read: unknown[] = []; // To its end: a call that is left before keeps the client from ending.
    for await (const event of client.readStream(stream)) read.push(event);
    return false;
  } catch (error) {
    return error instanceof StreamDeletedError;
  }
}

async function standing(): Promise<PrivacyStanding> {
  return (await used.stack.as('compliance')).read(`/v1/privacy/${PERSON}`);
}

const job = { jobTitle: 'Engineer', orgUnit: 'd005' };

it('an erasure leaves nothing of the name in any file, and everything else as it was', async () => {
  const admin = await used.stack.as('admin');
  const compliance = await used.stack.as('compliance');

  // Given somebody whom the HRIS, a correction, a dead letter and a copy have told of in every store
  await publish('hired', 'e1', { employeeNumber: NUMBER, ...job, name: NAME, email: EMAIL });
  await publish('hired', 'e2', { employeeNumber: '90018', ...job, name: OTHER_NAME });
  await publish('hired', 'e3', { employeeNumber: NUMBER, ...job, name: NAME, email: 'no address Zephyrine' });
  await until(async () => (await profile(PERSON))?.name !== undefined && (await profile(OTHER)) !== undefined);
  await admin.command('correct-profile', { person: PERSON, name: { given: 'Zephyrina', family: NAME.family } });
  await admin.command('correct-profile', { person: PERSON, name: NAME });
  await admin.settled();
  // One collection with the name is kept to go back to, and another one was dropped
  for (const _ of [1, 2]) {
    const { code, stderr } = await used.stack.cli('projections', 'rebuild', 'people', 'enrollments');
    expect({ code, stderr }).toMatchObject({ code: 0 });
  }
  await admin.command('transfer-person', { person: PERSON, orgUnit: 'd005', manager: OTHER });
  await admin.settled();
  await admin.command('enroll-learner', { person: PERSON, course: 'safety', dueOn: '2027-01-31' });
  const copy = await compliance.read<GivenCopy>(`/v1/privacy/${PERSON}/export`);
  expect(copy.documents).toMatchObject({ people: [{ name: NAME, email: EMAIL }], enrollments: [{ course: 'safety' }] });
  expect(copy.events.map(({ type }) => type)).toEqual(
    expect.arrayContaining(['PersonHired', 'LearnerEnrolled', 'ReportingLineChanged']),
  );
  await until(() => filesWith(WORDS).some((file) => file.includes('nats')));
  expect(filesWith(WORDS).some((file) => file.includes('mongo'))).toBe(true);

  // When somebody asks for the erasure, and somebody else approves it
  const reason = 'Asked for by the person.';
  expect(await admin.send('approve-erasure', { person: PERSON })).toMatchObject({
    body: { code: 'no-erasure-requested' },
  });
  await compliance.command('set-legal-hold', { person: PERSON, matter: 'case-1', reason: 'Litigation.' });
  expect(await compliance.send('request-erasure', { person: PERSON, reason })).toMatchObject({
    status: 422,
    body: { code: 'legal-hold' },
  });
  await compliance.command('lift-legal-hold', { person: PERSON, matter: 'case-1', reason: 'Closed.' });
  await compliance.command('request-erasure', { person: PERSON, reason });
  expect(await compliance.send('approve-erasure', { person: PERSON })).toMatchObject({ body: { code: 'own-request' } });
  const posing = await admin.send('approve-erasure', { person: PERSON, by: 'somebody-else' });
  expect(posing.status).toBe(400);
  await admin.command('approve-erasure', { person: PERSON });
  await until(async () => (await standing()).erasure?.status === 'completed');

  // Then there is a receipt, and the name is nowhere
  const { erasure, exports } = await standing();
  expect(erasure).toMatchObject({ number: 1, requestedBy: 'compliance', approvedBy: 'admin', reason });
  expect(exports).toEqual([{ export: copy.export, by: 'compliance' }]);
  expect(erasure!.scrubbed.map(({ where }) => where)).toEqual([
    'eventstore',
    'mongodb',
    'clickhouse',
    'nats HRIS',
    'nats HRIS_DEAD_LETTERS',
    `export ${copy.export}`,
  ]);
  await admin.settled();
  expect(filesWith(WORDS)).toEqual([]);
  expect(await profile(PERSON)).toMatchObject({ name: null, email: null, status: 'active' });
  expect(await profile(OTHER)).toMatchObject({ name: OTHER_NAME });

  // And what the HRIS says of the person from now on is taken without the name
  await publish('role-changed', 'e4', {
    employeeNumber: NUMBER,
    jobTitle: 'Senior Engineer',
    effectiveOn: '2026-04-01',
  });
  await until(async () => ((await profile(PERSON)) as { role?: string }).role === 'senior-engineer');
  await publish('profile-corrected', 'e5', { employeeNumber: NUMBER, name: NAME, email: EMAIL });
  await publish('hired', 'e6', { employeeNumber: NUMBER, ...job, name: NAME, effectiveOn: '2026-05-01' });
  await publish('hired', 'e7', { employeeNumber: NUMBER, jobTitle: 'Other', orgUnit: 'd001', name: NAME });
  await until(hrisIsRead);
  await until(() => filesWith(WORDS).length === 0);
  expect(await profile(PERSON)).toMatchObject({ name: null, email: null });
  const corrected = await admin.command('correct-profile', { person: PERSON, name: NAME });
  expect(corrected).toMatchObject({ outcome: 'already-known', events: [] });

  // And the log, folded anew, says the same as the read models and the warehouse
  await admin.settled();
  const { check } = await compliance.read<{ check: object }>('/v1/audit/replay', { check: 'true' });
  expect(check).toMatchObject({ ok: true, differences: [] });
  expect(filesWith(WORDS)).toEqual([]);
});

it('what was sealed before an erasure still verifies after it', async () => {
  const verify = async (): Promise<VerificationResult> => {
    const { stdout } = await used.stack.cli('audit', 'verify', '--tenant', TENANT, '--json');
    return JSON.parse(stdout) as VerificationResult;
  };
  const { events } = (await verify()).tenants[0]!;
  let verified: VerificationResult | undefined;
  // Each look is itself an event that is sealed later.
  await until(async () => Number((verified = await verify()).tenants[0]!.sealed?.size) >= events);
  expect(verified).toMatchObject({ ok: true, tenants: [{ tenant: TENANT, findings: 0, first: null }] });
});

it('an erasure that was cut short after the key was destroyed is finished by itself at the next start, with those that wait', async () => {
  const numbers = ['90019', '90020'];
  const people = numbers.map((number) => personIdOf(TENANT, number));
  const words = ['Wilhelmina', 'Interrupted', 'Waldemar', 'Waiting'];
  for (const [at, number] of numbers.entries()) {
    const name = { given: words[2 * at], family: words[2 * at + 1] };
    await publish('hired', `n${number}`, { employeeNumber: number, ...job, name });
    await until(async () => (await profile(people[at]!)) !== undefined);
  }

  // Given an eraser that waits for a read model which nobody builds
  const mongo = await MongoClient.connect(used.stack.urls.mongodb);
  const stuck = { collection: 'people_v999', version: 999, phase: 'catching-up', startedAt: new Date().toISOString() };
  await mongo
    .db()
    .collection<{ _id: string }>('read_models')
    .updateOne({ _id: 'people' }, { $set: { building: stuck } });
  await mongo.close();
  const eventstore = EventStoreDBClient.connectionString(used.stack.urls.eventstore);
  for (const person of people) {
    await (await used.stack.as('compliance')).command('request-erasure', { person, reason: 'Asked for.' });
    await (await used.stack.as('admin')).command('approve-erasure', { person });
    await until(() => isDestroyed(eventstore, `${TENANT}.personkey-${people[0]!}`));
  }
  await eventstore.dispose();

  // When the process is killed, and starts again
  await used.stack.kill();
  const masterKeys = join(used.stack.data, 'master-keys');
  writeFileSync(
    masterKeys,
    `${NEXT_KEY}:${Buffer.alloc(32, 'next').toString('base64')},${readFileSync(masterKeys, 'utf8')}`,
  );
  used.stack = await RunningStack.start({ data: used.stack.data });
  const compliance = await used.stack.as('compliance');
  const erasureOf = async (person: string) =>
    (await compliance.read<PrivacyStanding>(`/v1/privacy/${person}`)).erasure!;
  for (const person of people) expect((await erasureOf(person)).status).toBe('approved');
  const again = await MongoClient.connect(used.stack.urls.mongodb);
  await again
    .db()
    .collection<{ _id: string }>('read_models')
    .updateOne({ _id: 'people' }, { $set: { building: null } });
  await again.close();

  // Then each ends with a receipt, and the names are nowhere
  for (const person of people) {
    await until(async () => (await erasureOf(person)).status === 'completed');
    const { scrubbed } = await erasureOf(person);
    expect(scrubbed).toContainEqual({ where: 'nats HRIS', what: '1 messages overwritten' });
  }
  await until(() => filesWith(words).length === 0);
});

it('a new master key takes over every key, once, and the old one is needed no more', async () => {
  const rewrap = async (): Promise<{ rewrapped: number }> => {
    const { code, stdout, stderr } = await used.stack.cli('privacy', 'rewrap-keys', '--json');
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout) as { rewrapped: number };
  };
  expect((await rewrap()).rewrapped).toBeGreaterThan(0);
  expect(await rewrap()).toEqual({ rewrapped: 0 });
  const eventstore = EventStoreDBClient.connectionString(used.stack.urls.eventstore);
  const wrappedBy: unknown[] = [];
  for await (const { event } of eventstore.readStream(`${TENANT}.personkey-${OTHER}`)) {
    wrappedBy.push((event!.data as { masterKey: string }).masterKey);
  }
  await eventstore.dispose();
  expect(wrappedBy).toEqual([NEXT_KEY]);
  const copy = await (await used.stack.as('compliance')).read<GivenCopy>(`/v1/privacy/${OTHER}/export`);
  expect(copy.events[0]).toMatchObject({ type: 'PersonHired', data: { name: OTHER_NAME } });
});

it('the command line shows the receipt, and refuses what is not allowed', async () => {
  const shown = await used.stack.cli('privacy', 'show', PERSON, '--json');
  expect(JSON.parse(shown.stdout)).toMatchObject({ person: PERSON, erasure: { status: 'completed' } });
  const copied = await used.stack.cli('privacy', 'export', OTHER, '--json');
  const copy = JSON.parse(copied.stdout) as GivenCopy;
  expect(copied).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(`${copy.events.length} events, `) as string,
  });
  expect(copy).toMatchObject({ person: OTHER, documents: { people: [{ name: OTHER_NAME }] } });
  const hold = await used.stack.cli('privacy', 'hold', OTHER, '--matter', 'case-2', '--reason', 'Litigation.');
  expect(hold).toMatchObject({ code: 0, stdout: 'LegalHoldSet\n' });
  const refused = await used.stack.cli('privacy', 'erase', OTHER, '--reason', 'Asked for.');
  expect(refused).toMatchObject({ code: 2 });
  expect(refused.stderr).toContain('under legal hold: case-2');
  const learner = await used.stack.as('learner', { sub: OTHER });
  expect((await learner.get(`/v1/privacy/${PERSON}/export`)).status).toBe(403);
  expect((await learner.get(`/v1/privacy/${OTHER}/export`)).status).toBe(200);
});
