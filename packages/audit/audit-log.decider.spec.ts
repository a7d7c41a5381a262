import { given } from '../eventsourcing/testing';
import { type AuditLogCommand, auditLogDecider } from './audit-log.decider';
import type { AuditConsulted, EvidenceExported } from './audit-log.events';

const consulted = (consultation: string): AuditConsulted => ({
  type: 'AuditConsulted',
  data: { day: '2026-03-01', consultation, request: 'GET /v1/audit/replay', parameters: { person: 'ann' } },
});
const record = (consultation: string): AuditLogCommand => ({
  type: 'RecordConsultation',
  data: consulted(consultation).data,
  at: '2026-03-01T10:00:00.000Z',
});
const exported: EvidenceExported = {
  type: 'EvidenceExported',
  data: {
    day: '2026-03-01',
    export: 'bundle',
    scope: { person: 'ann' },
    personal: false,
    events: 7,
    upTo: '4711',
    digest: 'ab'.repeat(32),
  },
};
const recordEvidence: AuditLogCommand = {
  type: 'RecordEvidence',
  data: exported.data,
  at: '2026-03-01T10:00:00.000Z',
};

describe('The audit log', () => {
  it('records a consultation', () => given(auditLogDecider).when(record('one')).then(consulted('one')));

  it('records a second one of the same kind', () =>
    given(auditLogDecider, [consulted('one')])
      .when(record('two'))
      .then(consulted('two')));

  it('records the same one once', () =>
    given(auditLogDecider, [consulted('one')])
      .when(record('one'))
      .thenNothing());

  it('records a bundle that is given out, once', () => {
    given(auditLogDecider, [consulted('one')])
      .when(recordEvidence)
      .then(exported);
    given(auditLogDecider, [consulted('one'), exported])
      .when(recordEvidence)
      .thenNothing();
  });

  it('has one stream per day', () => expect(auditLogDecider.id(record('one'))).toBe('2026-03-01'));
});
