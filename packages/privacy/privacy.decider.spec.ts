import { given } from '../eventsourcing/testing';
import { type PrivacyCommand, type PrivacyCommandData, privacyDecider } from './privacy.decider';
import type { PrivacyEvent, RetentionGround } from './privacy.events';

const person = 'ann';
const at = '2026-03-01T10:00:00.000Z';
const reason = 'asked for';

function command<Type extends keyof PrivacyCommandData>(
  type: Type,
  data: Omit<PrivacyCommandData[Type], 'person'>,
): PrivacyCommand {
  return { type, at, data: { person, ...data } } as unknown as PrivacyCommand;
}

const held: PrivacyEvent = { type: 'LegalHoldSet', data: { person, matter: 'case-1', reason: 'litigation' } };
const lifted: PrivacyEvent = { type: 'LegalHoldLifted', data: { person, matter: 'case-1', reason: 'closed' } };
const requested: PrivacyEvent = {
  type: 'ErasureRequested',
  data: { person, erasure: 1, reason, by: 'carol', retention: null },
};
const approved: PrivacyEvent = { type: 'ErasureApproved', data: { person, erasure: 1, by: 'dave' } };
const rejected: PrivacyEvent = { type: 'ErasureRejected', data: { person, erasure: 1, reason: 'no', by: 'dave' } };
const scrubbed = [{ where: 'eventstore', what: 'key destroyed' }];
const completed: PrivacyEvent = { type: 'ErasureCompleted', data: { person, erasure: 1, scrubbed, retention: null } };

const hold = command('SetLegalHold', { matter: 'case-1', reason: 'litigation' });
const lift = command('LiftLegalHold', { matter: 'case-1', reason: 'closed' });
const request = command('RequestErasure', { reason, by: 'carol' });
const approve = command('ApproveErasure', { by: 'dave' });
const reject = command('RejectErasure', { reason: 'no', by: 'dave' });
const complete = command('CompleteErasure', { erasure: 1, scrubbed });

const history = (...events: PrivacyEvent[]) => given(privacyDecider, events);

describe('An erasure', () => {
  it('is asked for', () => history().when(request).then(requested));
  it('is asked for once', () => history(requested).when(request).thenNothing());
  it('is not asked for by two', () =>
    history(requested)
      .when(command('RequestErasure', { reason, by: 'dave' }))
      .thenRefused('erasure-already-requested'));
  it('is approved by somebody else', () => history(requested).when(approve).then(approved));
  it('is not approved by who asked', () =>
    history(requested)
      .when(command('ApproveErasure', { by: 'carol' }))
      .thenRefused('own-request'));
  it('is not approved unasked', () => history().when(approve).thenRefused('no-erasure-requested'));
  it('is approved once', () => history(requested, approved).when(approve).thenNothing());
  it('is rejected', () => history(requested).when(reject).then(rejected));
  it('is not rejected unasked', () => history().when(reject).thenRefused('no-erasure-requested'));
  it('is not rejected once approved', () => history(requested, approved).when(reject).thenRefused('erasure-under-way'));
  it('can be asked for again when it was rejected', () =>
    history(requested, rejected)
      .when(request)
      .then({ type: 'ErasureRequested', data: { person, erasure: 2, reason, by: 'carol', retention: null } }));
  it('is completed with its receipt', () => history(requested, approved).when(complete).then(completed));
  it('is completed once', () => history(requested, approved, completed).when(complete).thenNothing());
  it('is not completed unapproved', () => history(requested).when(complete).thenNothing());
});

describe('An erasure because of retention rules', () => {
  const ground: RetentionGround = {
    category: 'person',
    events: 3,
    version: 1,
    keepFor: 'P6Y',
    from: 'departure',
    since: '2019-06-30',
    until: '2025-06-30',
  };
  const retention = [ground];
  const due: PrivacyEvent = { type: 'ErasureRequested', data: { person, erasure: 1, reason, by: 'carol', retention } };
  const approveDue = command('ApproveErasure', { by: 'dave', retention });

  it('is asked for on their grounds', () =>
    history()
      .when(command('RequestErasure', { reason, by: 'carol', retention }))
      .then(due));
  it('is approved on the same grounds, by somebody else', () => {
    history(due).when(approveDue).then(approved);
    history(due)
      .when(command('ApproveErasure', { by: 'carol', retention }))
      .thenRefused('own-request');
  });
  it('is not approved without a look at the rules, nor when they say something else', () => {
    history(due).when(approve).thenRefused('other-grounds');
    const later = [{ ...ground, version: 2, keepFor: 'P5Y', until: '2024-06-30' }];
    history(due)
      .when(command('ApproveErasure', { by: 'dave', retention: later }))
      .thenRefused('other-grounds');
  });
  it('is not what somebody asked for by themselves', () =>
    history(requested).when(approveDue).thenRefused('other-grounds'));
  it('is neither asked for nor approved under a legal hold', () => {
    history(held)
      .when(command('RequestErasure', { reason, by: 'carol', retention }))
      .thenRefused('legal-hold');
    history(due, held).when(approveDue).thenRefused('legal-hold');
  });
  it('has a receipt that names the rules', () =>
    history(due, approved)
      .when(complete)
      .then({ type: 'ErasureCompleted', data: { person, erasure: 1, scrubbed, retention } }));
});

describe('A legal hold', () => {
  it('is set and lifted', () => {
    history().when(hold).then(held);
    history(held).when(lift).then(lifted);
  });
  it('is set once and lifted once', () => {
    history(held).when(hold).thenNothing();
    history(held, lifted).when(lift).thenNothing();
  });
  it('refuses a request', () => history(held).when(request).thenRefused('legal-hold'));
  it('refuses an approval', () => history(requested, held).when(approve).thenRefused('legal-hold'));
  it('refuses nothing once lifted', () => history(held, lifted).when(request).then(requested));
  it('refuses as long as another is in force', () =>
    history(held, { ...held, data: { ...held.data, matter: 'case-2' } }, lifted)
      .when(request)
      .thenRefused('legal-hold'));
  it('comes too late for an approved erasure', () =>
    history(requested, approved).when(hold).thenRefused('erasure-under-way'));
});

it('a copy that was given out is recorded once', () => {
  const record = command('RecordExport', { export: 'x1', by: 'carol' });
  const exported: PrivacyEvent = { type: 'PersonalDataExported', data: { person, export: 'x1', by: 'carol' } };
  history().when(record).then(exported);
  history(exported).when(record).thenNothing();
});
