import { randomUUID } from 'node:crypto';
import { type AuditLogCommand, auditLogDecider } from '../../packages/audit';
import type { Actor, CommandPipeline } from '../../packages/eventsourcing';

/** Somebody wants to look at the audit of a tenant. */
export interface Consultation {
  readonly tenant: string;
  readonly actor: Actor;
  /** What is asked, as `GET /v1/audit/replay`. */
  readonly request: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Of the request that it belongs to; its own when there is none. */
  readonly correlationId?: string;
}

/** Appends `AuditConsulted` to the tenant's log of today. To be awaited before anything is answered. */
export async function recordConsultation(pipeline: CommandPipeline, asked: Consultation): Promise<void> {
  const { tenant, actor, request, parameters } = asked;
  const now = new Date().toISOString();
  const consultation = randomUUID();
  const command: AuditLogCommand = {
    type: 'RecordConsultation',
    data: { day: now.slice(0, 10), consultation, request, parameters },
    at: now,
  };
  const { correlationId = consultation } = asked;
  await pipeline.handle(auditLogDecider, command, {
    ...{ tenant, actor, commandId: consultation, correlationId, causationId: consultation },
  });
}
