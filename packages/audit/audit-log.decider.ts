import type { Command, Decider } from '../eventsourcing';
import type { AuditConsulted, AuditLogEvent, EvidenceExported } from './audit-log.events';

/** What is known of one day. */
export interface AuditLogDay {
  readonly entries: number;
  /** Id of the last consultation or export. */
  readonly last: string | null;
}

const initialState: AuditLogDay = { entries: 0, last: null };

export type AuditLogCommand =
  Command<'RecordConsultation', AuditConsulted['data']> | Command<'RecordEvidence', EvidenceExported['data']>;

function decide(command: AuditLogCommand, { last }: AuditLogDay): readonly AuditLogEvent[] {
  switch (command.type) {
    case 'RecordConsultation':
      return command.data.consultation === last ? [] : [{ type: 'AuditConsulted', data: command.data }];
    case 'RecordEvidence':
      return command.data.export === last ? [] : [{ type: 'EvidenceExported', data: command.data }];
    default:
      return command satisfies never;
  }
}

function evolve({ entries }: AuditLogDay, event: AuditLogEvent): AuditLogDay {
  switch (event.type) {
    case 'AuditConsulted':
      return { entries: entries + 1, last: event.data.consultation };
    case 'EvidenceExported':
      return { entries: entries + 1, last: event.data.export };
    default:
      return event satisfies never;
  }
}

/** One stream per day, so that the day's entries are chained to each other and none can be taken out unseen. */
export const auditLogDecider: Decider<AuditLogDay, AuditLogCommand, AuditLogEvent> = {
  category: 'auditlog',
  initialState,
  id: ({ data }) => data.day,
  decide,
  evolve,
};
