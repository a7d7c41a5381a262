import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { connect, createInbox, headers } from '@nats-io/transport-node';
import type { Receipt } from '../../infra/nats';
import { enrollmentIdOf } from '../../packages/enrollment';
import type { Answer } from '../../projections/mongo/collection';
import type { EnrollmentDocument } from '../../projections/mongo/enrollments';
import type { NotificationDocument } from '../../projections/mongo/notifications';
import type { PersonDocument } from '../../projections/mongo/people';
import type { TeamProgress } from '../../projections/mongo/team-progress';
import type { Explanation } from '../audit/why';
import type { Status } from '../reports/status.controller';
import type { PersonPermissions } from '../reports/queries.controller';
import type { AttestClient } from './client';
import { UsageError } from './data-folder';

/** What the HRIS says, and what Attest requires of the role. */
const JOB_TITLE = 'Technique Leader';
const ROLE = 'technique-leader';
const COURSE = 'leadership-level-1';
/** How long an effect is waited for, in milliseconds. */
const PATIENCE = 120_000;

export interface Effect {
  readonly effect: string;
  readonly seen: string;
  /** Milliseconds from the publication of the HRIS event. */
  readonly after: number;
}

export interface Promotion {
  readonly person: string;
  readonly employeeNumber: string;
  readonly cloudEvent: string;
  readonly effects: readonly Effect[];
  /** From the publication of the HRIS event to the last effect. */
  readonly milliseconds: number;
  readonly why: Explanation;
}

type Person = Answer<PersonDocument>;

/**
 * Somebody is promoted in the HRIS and gets another manager: publishes one CloudEvent, and follows it through Attest.
 * @throws UsageError when the tenant has nobody to promote
 */
export async function promote(
  client: AttestClient,
  nats: string,
  tenant: string,
  say: (message: string) => void,
): Promise<Promotion> {
  await client.settled();
  const { person, manager } = await somebodyToPromote(client);
  const { employeeNumber } = person;
  say(
    `${person.name?.given ?? ''} ${person.name?.family ?? ''} (${employeeNumber}), ${person.jobTitle}, is promoted ...`,
  );

  const cloudEvent = `promotion-${randomUUID()}`;
  const publishedAt = performance.now();
  const today = new Date().toISOString().slice(0, 10);
  const fact = { employeeNumber, jobTitle: JOB_TITLE, manager: manager.employeeNumber, orgUnit: manager.orgUnit };
  await publish(nats, tenant, cloudEvent, { ...fact, effectiveOn: today });

  const effects: Effect[] = [];
  const follow = async <T>(
    effect: string,
    look: () => Promise<T | undefined>,
    tell: (seen: T) => string,
  ): Promise<T> => {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const seen = await look();
      if (seen !== undefined) {
        effects.push({ effect, seen: tell(seen), after: Math.round(performance.now() - publishedAt) });
        return seen;
      }
      if (Date.now() > deadline) throw new Error(`${effect} was not seen within ${PATIENCE} ms`);
      await delay(5);
    }
  };
  const enrollment = enrollmentIdOf(person.id, COURSE);
  const enrolled = follow(
    'enrollment',
    async () => {
      const query = { person: person.id, course: COURSE };
      const found = await client.get<Answer<EnrollmentDocument>[]>('/v1/enrollments', query);
      return found.find(({ status }) => status === 'open');
    },
    ({ course, dueOn }) => `${course}, due ${dueOn}`,
  );
  const why = (): Promise<Explanation> => client.get<Explanation>(`/v1/audit/why/${enrollment}`);
  /** The team view is another document than the enrollment: it is asked for as of where the log is when the enrollment is seen. */
  const position = enrolled.then(() => client.get<Status>('/v1/status')).then(({ log }) => log);
  await Promise.all([
    follow(
      'role',
      async () => {
        const now = await client.get<Person>(`/v1/people/${person.id}`);
        return now.role === ROLE ? now : undefined;
      },
      ({ role }) => `${role}`,
    ),
    follow(
      'permissions',
      async () => {
        const now = await client.get<PersonPermissions>(`/v1/people/${person.id}/permissions`);
        return now.permissions.length > 0 ? now.permissions : undefined;
      },
      (permissions) => permissions.join(', '),
    ),
    enrolled,
    follow(
      "manager's team",
      async () => {
        const team = await client.get<TeamProgress>(`/v1/teams/${manager.id}`, { minPosition: await position });
        return team.members.find((member) => member.person === person.id);
      },
      ({ open }) => `under ${manager.employeeNumber}, ${open} open`,
    ),
    follow(
      'notification',
      async () => {
        const found = await client.get<Answer<NotificationDocument>[]>('/v1/notifications', { person: person.id });
        return found.find((each) => each.enrollment === enrollment);
      },
      ({ stage, status }) => `${stage}, ${status}`,
    ),
  ]);
  const milliseconds = Math.max(...effects.map(({ after }) => after));
  return { person: person.id, employeeNumber: employeeNumber!, cloudEvent, effects, milliseconds, why: await why() };
}

/** An active employee who is not a leader yet, and a manager of somebody else. */
async function somebodyToPromote(client: AttestClient): Promise<{ person: Person; manager: Person }> {
  const people: Person[] = [];
  for (let after: string | undefined; ;) {
    const page = await client.get<Person[]>('/v1/people', { limit: '1000', after });
    people.push(...page);
    after = page[page.length - 1]?.id;
    if (page.length < 1_000) break;
  }
  const byId = new Map(people.map((person) => [person.id, person]));
  const active = people.filter(({ status }) => status === 'active');
  const managers = new Set(active.map(({ manager }) => manager));
  const person = active.find(({ id, role, manager }) => role === 'senior-engineer' && manager && !managers.has(id));
  const manager = active.find(
    ({ id }) => managers.has(id) && id !== person?.manager && byId.get(id)?.manager !== person?.id,
  );
  if (person && manager) return { person, manager };
  throw new UsageError('There is nobody to promote: start Attest with its sample, or import employees first.');
}

async function publish(nats: string, tenant: string, id: string, data: object): Promise<void> {
  const connection = await connect({ servers: nats, name: 'attest-scenario' });
  try {
    const event = {
      specversion: '1.0',
      id,
      source: 'https://hris.example.com/scenario',
      type: 'com.example.hris.person.role-changed',
      time: new Date().toISOString(),
      datacontenttype: 'application/json',
      data,
    };
    const inbox = createInbox();
    const receipts = connection.subscribe(inbox, { max: 1, timeout: PATIENCE });
    const sent = headers();
    sent.set('Attest-Receipt', inbox);
    await jetstream(connection).publish(`hris.${tenant}.person.role-changed`, JSON.stringify(event), {
      msgID: id,
      headers: sent,
      timeout: PATIENCE,
    });
    for await (const message of receipts) {
      const { outcome, reason } = message.json<Receipt>();
      if (outcome !== 'accepted') throw new Error(`the HRIS event was not accepted: ${reason ?? outcome}`);
    }
  } finally {
    await connection.close();
  }
}
