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

/**
 * An evidence bundle was given out. The digest is over its manifest, and thereby over all that the bundle says; the seal over this
 * event is what proves it.
 */
export type EvidenceExported = DomainEvent<
  'EvidenceExported',
  {
    /** ISO 8601 date, as above. */
    readonly day: string;
    readonly export: string;
    /** What it is of, as `{"person": "..."}`; nothing for the tenant. */
    readonly scope: Readonly<Record<string, string>>;
    /** Whether personal data stands in it in clear. */
    readonly personal: boolean;
    readonly events: number;
    /** Position up to which the log was read. */
    readonly upTo: string;
    /** SHA-256 of `manifest.json`, hex. */
    readonly digest: string;
  }
>;

export type AuditLogEvent = AuditConsulted | EvidenceExported;

export const auditLogEventVersions: EventVersions<AuditLogEvent> = {
  AuditConsulted: { version: 1 },
  EvidenceExported: { version: 1 },
};
