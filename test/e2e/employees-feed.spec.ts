import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { jetstream } from '@nats-io/jetstream';
import { connect, createInbox, headers } from '@nats-io/transport-node';
import { cloudEventOf } from '../../apps/attest/import/employees';
import { type HrFact, readHrFacts } from '../../apps/attest/import/employees-facts';
import { publishSampleRules, SAMPLE_RULES } from '../../apps/attest/sample';
import { AttestClient } from '../../apps/attest/client';
import type { ReplayAnswer } from '../../apps/audit/replay-answer';
import { eventCatalog } from '../../apps/shared/event-catalog';
import { EventStoreDb } from '../../infra/eventstore';
import type { Receipt } from '../../infra/nats';
import { dayOf, ProjectionFold, type RecordedEvent } from '../../packages/eventsourcing';
import { personIdOf } from '../../packages/people';
import { type EnrollmentDocument, enrollments } from '../../projections/mongo/enrollments';
import { DomainInMemory } from './domain-in-memory';
import { EmployeesHistory, type OpenEnrollment } from './employees-expectations';
import { FIXTURES, fixtureSlice } from './fixture-slice';
import { newTenant } from './records';
import { numbers } from '../seeded';
import { useStack } from './running-stack';

const { ATTEST_TEST_DATA: data } = process.env;
const SAMPLE = join(FIXTURES, 'employees');
const MINUTES = 60_000;
const DATES = ['1985-06-30', '1988-01-01', '1991-07-15', '1995-03-31', '1999-12-31', '2002-08-01', '2026-01-01'];
/** Facts that are under way at once. */
const WINDOW = 300;

/** The feed as a careless HRIS sends it: up to 90 days out of order, and a tenth of it twice. */
function shuffled(facts: readonly HrFact[], seed: number): HrFact[] {
  const random = numbers(seed);
  const day = 24 * 60 * 60 * 1000;
  const sentAt = (fact: HrFact): number => Date.parse(fact.effectiveOn) + random() * 90 * day;
  const twice = facts.filter(() => random() < 0.1);
  return [...facts, ...twice]
    .map((fact) => ({ fact, at: sentAt(fact) }))
    .sort((a, b) => a.at - b.at)
    .map(({ fact }) => fact);
}

/** Holds what the events say was open on each date against the files. */
async function expectOpen(
  folder: string,
  tenant: string,
  facts: readonly HrFact[],
  events: readonly RecordedEvent[],
): Promise<void> {
  const history = await EmployeesHistory.read(folder);
  const employees = new Map(facts.map(({ employeeNumber: number }) => [personIdOf(tenant, number), number]));
  for (const day of DATES) {
    const fold = new ProjectionFold<EnrollmentDocument>(enrollments);
    for (const event of events) if (dayOf(event.metadata.occurredAt) <= day) fold.apply(event);
    const open: OpenEnrollment[] = [...fold.documents.values()]
      .filter(({ status }) => status === 'open')
      .map(({ person, course, dueOn }) => `${employees.get(person)} ${course} ${dueOn ?? '-'}`);
    expect([day, open.sort()]).toEqual([day, history.openOn(day)]);
  }
}

describe('The employees feed', () => {
  const used = useStack();
  const folder = fixtureSlice('employees');
  afterAll(() => rmSync(folder, { recursive: true }));

  async function publish(tenant: string, facts: readonly HrFact[]): Promise<Receipt['outcome'][]> {
    const nats = await connect({ servers: used.stack.urls.nats! });
    const inbox = createInbox();
    const outcomes: Receipt['outcome'][] = [];
    let wake = (): void => undefined;
    nats.subscribe(inbox, {
      callback: (error, message) => {
        if (error) throw error;
        outcomes.push(message.json<Receipt>().outcome);
        wake();
      },
    });
    const sent = headers();
    sent.set('Attest-Receipt', inbox);
    const settled = async (count: number): Promise<void> => {
      while (outcomes.length < count) await new Promise<void>((resolve) => (wake = resolve));
    };
    for (const [index, fact] of facts.entries()) {
      const body = JSON.stringify(cloudEventOf(fact));
      await jetstream(nats, { timeout: 100_000 }).publish(`hris.${tenant}.person.${fact.kind}`, body, {
        headers: sent,
      });
      await settled(index - WINDOW);
    }
    await settled(facts.length);
    await nats.close();
    return outcomes;
  }

  async function prepare(): Promise<{ tenant: string; settled: () => Promise<string> }> {
    const tenant = newTenant();
    const api = new AttestClient(used.stack.urls.api, await used.stack.token('admin', { tenant }));
    await publishSampleRules(api);
    const admin = await used.stack.as('admin', { tenant });
    return { tenant, settled: () => admin.settled(5 * MINUTES) };
  }

  /** The events of enrollments, in the order of the log. */
  async function enrollmentEvents(tenant: string): Promise<RecordedEvent[]> {
    const store = new EventStoreDb(used.stack.urls.eventstore, eventCatalog);
    const events: RecordedEvent[] = [];
    for await (const batch of store.subscribeToAll({ streamPrefix: `${tenant}.enrollment-` })) {
      events.push(...batch.events);
      if (batch.caughtUp) break;
    }
    store.close();
    return events;
  }

  async function expectHistory(folder: string, tenant: string, facts: readonly HrFact[]): Promise<void> {
    await expectOpen(folder, tenant, facts, await enrollmentEvents(tenant));
    const compliance = await used.stack.as('compliance', { tenant });
    const { check } = await compliance.read<ReplayAnswer>('/v1/audit/replay', { check: 'true' });
    expect(check).toMatchObject({ ok: true, differences: [] });
  }

  it('given the sample out of order and partly twice, when it is published, then everybody has what the files imply, on any date', async () => {
    const { tenant, settled } = await prepare();
    const facts = await readHrFacts(folder);
    const outcomes = await publish(tenant, shuffled(facts, 20_261_123));
    expect(outcomes.filter((outcome) => outcome === 'refused')).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === 'accepted')).toHaveLength(facts.length);
    await settled();
    await expectHistory(folder, tenant, facts);
  }, 900_000);
});

describe('The employees feed, decided in memory', () => {
  /** The sample always; everybody where the full data is at hand. Seed 0 leaves the feed in order. */
  const feeds: { what: string; folder: string; seed: number }[] = [
    ...[0, 1, 2].map((seed) => ({ what: 'sample', folder: SAMPLE, seed })),
    ...(data === undefined ? [] : [{ what: 'full data', folder: join(data, 'employees'), seed: 3 }]),
  ];

  it.each(feeds)(
    'given the $what, shuffled by seed $seed and partly twice, then everybody has what the files imply, on any date',
    async ({ folder, seed }) => {
      const facts = await readHrFacts(folder);
      const domain = new DomainInMemory('acme');
      for (const { occurredAt, ...rule } of SAMPLE_RULES) {
        await domain.send('PublishAssignmentRule', rule, `${occurredAt}T00:00:00.000Z`, `rule ${rule.rule}`);
      }
      for (const fact of seed === 0 ? facts : shuffled(facts, seed)) await domain.hris(fact.kind, cloudEventOf(fact));
      await expectOpen(
        folder,
        'acme',
        facts,
        domain.log.filter(({ stream }) => stream.startsWith('acme.enrollment-')),
      );
    },
    5 * MINUTES,
  );
});
