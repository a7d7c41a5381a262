import type { Command, Decider } from '../eventsourcing';
import type { AuditConsulted } from './audit-log.events';

/** What is known of one day. */
export interface AuditLogDay {
  readonly consultations: number;
  readonly last: string | null;
}

const initialState: AuditLogDay = { consultations: 0, last: null };

export type AuditLogCommand = Command<'RecordConsultation', AuditConsulted['data']>;

function decide({ data }: AuditLogCommand, { last }: AuditLogDay): readonly AuditConsulted[] {
  return data.consultation === last ? [] : [{ type: 'AuditConsulted', data }];
}

function evolve({ consultations }: AuditLogDay, { data }: AuditConsulted): AuditLogDay {
  return { consultations: consultations + 1, last: data.consultation };
}

/** One stream per day, so that the day's entries are chained to each other and none can be taken out unseen. */
export const auditLogDecider: Decider<AuditLogDay, AuditLogCommand, AuditConsulted> = {
  category: 'auditlog',
  initialState,
  id: ({ data }) => data.day,
  decide,
  evolve,
};
