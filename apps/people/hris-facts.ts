import { derivedId } from '../../packages/eventsourcing';
import { personIdOf } from '../../packages/people';

/** A fact that can never be applied as it is; it goes to the dead letters with this reason. */
export class UnusableFactError extends Error {
  override name = 'UnusableFactError';
}

/** An HRIS fact as the command that it stands for. */
export interface HrisCommand {
  readonly tenant: string;
  /** Facts about one person are applied in the order in which they arrived. */
  readonly person: string;
  /** Derived from the CloudEvent's source and id, so that a fact sent again is recognised for ever. */
  readonly commandId: string;
  readonly cloudEventId: string;
  readonly type: string;
  readonly data: object;
}

const SUBJECT =
  /^hris\.([a-z0-9]{1,32})\.person\.(hired|rehired|role-changed|transferred|terminated|profile-corrected)$/;
const DATE = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Reads a CloudEvents 1.0 JSON message of subject `hris.<tenant>.person.<hired|rehired|role-changed|transferred|terminated|profile-corrected>`. People are named by
 * employee number; attributes and data that Attest does not know are left alone, as CloudEvents asks of consumers.
 * @throws UnusableFactError that names the attribute
 */
export function readHrisFact(subject: string, payload: Uint8Array): HrisCommand {
  const [, tenant, kind] = SUBJECT.exec(subject) ?? [];
  if (!tenant || !kind) {
    throw new UnusableFactError(
      `subject: ${subject} is not hris.<tenant>.person.<hired|rehired|role-changed|transferred|terminated|profile-corrected>`,
    );
  }
  const event = parseObject(payload);
  if (event.specversion !== '1.0') throw new UnusableFactError('specversion: must be "1.0"');
  const id = text(event, 'id');
  const source = text(event, 'source');
  text(event, 'type');
  const data = event.data;
  if (typeof data !== 'object' || data === null) throw new UnusableFactError('data: must be an object');
  const fact = data as Record<string, unknown>;
  const person = personIdOf(tenant, text(fact, 'employeeNumber'));
  const occurredAt = effectiveTime(event, fact);
  return {
    tenant,
    person,
    commandId: derivedId('cloudevent', tenant, source, id),
    cloudEventId: id,
    ...commandOf(kind, tenant, { person, occurredAt }, fact),
  };
}

function commandOf(
  kind: string,
  tenant: string,
  common: { person: string; occurredAt: string },
  fact: Record<string, unknown>,
): { type: string; data: object } {
  const manager = fact.manager == null ? {} : { manager: personIdOf(tenant, text(fact, 'manager')) };
  const { name, email } = fact;
  const profile = { ...(name == null ? {} : { name }), ...(email == null ? {} : { email }) };
  const joined = (): object => ({ jobTitle: text(fact, 'jobTitle'), orgUnit: text(fact, 'orgUnit'), ...manager });
  switch (kind) {
    case 'hired':
      return {
        type: 'HirePerson',
        data: { ...common, employeeNumber: text(fact, 'employeeNumber'), ...profile, ...joined() },
      };
    case 'rehired':
      return { type: 'RehirePerson', data: { ...common, ...joined() } };
    case 'role-changed': {
      const orgUnit = fact.orgUnit == null ? {} : { orgUnit: text(fact, 'orgUnit') };
      return { type: 'ChangeRole', data: { ...common, jobTitle: text(fact, 'jobTitle'), ...orgUnit, ...manager } };
    }
    case 'transferred':
      return { type: 'TransferPerson', data: { ...common, orgUnit: text(fact, 'orgUnit'), ...manager } };
    case 'profile-corrected':
      return { type: 'CorrectProfile', data: { ...common, ...profile } };
    default:
      return { type: 'TerminatePerson', data: common };
  }
}

/** `data.effectiveOn` (a date) says when the fact takes effect; the CloudEvent's `time` when there is none. */
function effectiveTime(event: Record<string, unknown>, fact: Record<string, unknown>): string {
  if (fact.effectiveOn !== undefined) {
    const effectiveOn = text(fact, 'effectiveOn');
    const time = DATE.test(effectiveOn) ? Date.parse(`${effectiveOn}T00:00:00Z`) : NaN;
    if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(effectiveOn)) {
      throw new UnusableFactError('effectiveOn: must be a date that exists, such as 2026-03-01');
    }
    return new Date(time).toISOString();
  }
  const time = Date.parse(text(event, 'time'));
  if (Number.isNaN(time)) throw new UnusableFactError('time: must be an RFC 3339 time; or send data.effectiveOn');
  return new Date(time).toISOString();
}

function text(object: Record<string, unknown>, name: string): string {
  const value = object[name];
  if (typeof value === 'string' && value !== '') return value;
  throw new UnusableFactError(`${name}: must be a text that is not empty`);
}

function parseObject(payload: Uint8Array): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (error) {
    throw new UnusableFactError(`the message is not JSON: ${(error as Error).message}`);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Record<string, unknown>;
  throw new UnusableFactError('the message must be one CloudEvent in JSON');
}
