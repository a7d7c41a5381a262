import { IsNotEmpty, IsString, IsUUID, Matches, MaxLength } from 'class-validator';
import { type CommandDefinition, CommandInput, type Role } from '../commands';
import { privacyDecider } from './privacy.decider';

const MATTER = /^[a-z0-9][a-z0-9-]{0,63}$/;

abstract class PrivacyInput extends CommandInput {
  @IsUUID()
  person!: string;
}

abstract class ReasonInput extends PrivacyInput {
  /** Kept for ever: it must not name the person. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(2_000)
  reason!: string;
}

abstract class HoldInput extends ReasonInput {
  @Matches(MATTER, { message: 'matter must be of a-z, 0-9 and -, such as case-2026-17' })
  matter!: string;
}

class SetLegalHold extends HoldInput {}
class LiftLegalHold extends HoldInput {}
class RequestErasure extends ReasonInput {}
class ApproveErasure extends PrivacyInput {}
class RejectErasure extends ReasonInput {}

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const roles: readonly Role[] = ['compliance', 'admin'];
const common = { roles, decider: privacyDecider } as const;
const reason = 'Asked for by the person on 1 March 2026, art. 17 GDPR.';
const matter = 'case-2026-17';

/** Who sends one is never taken from its data: `signed` adds whom the token names. */
export const privacyCommands: readonly CommandDefinition[] = [
  {
    type: 'SetLegalHold',
    summary: 'Let nothing of a person be erased until the hold is lifted.',
    input: SetLegalHold,
    ...common,
    example: { person, matter, reason: 'Litigation; the records are evidence.' },
  },
  {
    type: 'LiftLegalHold',
    summary: 'Lift a hold.',
    input: LiftLegalHold,
    ...common,
    example: { person, matter, reason: 'The case is closed.' },
  },
  {
    type: 'RequestErasure',
    summary: 'Ask for the erasure of a person; somebody else must approve it.',
    input: RequestErasure,
    ...common,
    signed: true,
    example: { person, reason },
  },
  {
    type: 'ApproveErasure',
    summary: 'Approve what somebody else has requested: it is carried out at once, and cannot be undone.',
    input: ApproveErasure,
    ...common,
    signed: true,
    example: { person },
  },
  {
    type: 'RejectErasure',
    summary: 'Reject a request for erasure.',
    input: RejectErasure,
    ...common,
    signed: true,
    example: { person, reason: 'The person is still employed.' },
  },
];
