// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** Somebody looked at the audit: recorded before they got their answer. Who it was and when stands in the metadata, as with every event. */
export type AuditConsulted = DomainEvent<
  'AuditConsulted',
  {
    /** ISO 8601 date; there is one stream per day. */
    readonly day: string;
    readonly consultation: string;
    /** What was asked, as `GET /v1/audit/replay`. */
    readonly request: string;
    /** With which parameters. */
    readonly parameters: Readonly<Record<string, string>>;
  }
>;

export const auditLogEventVersions: EventVersions<AuditConsulted> = { AuditConsulted: { version: 1 } };
