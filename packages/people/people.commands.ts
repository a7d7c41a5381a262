import { Type } from 'class-transformer';
import {
  IsEmail,
  IsNotEmpty,
  IsOptional,
  IsString,
  IsUUID,
  Matches,
  MaxLength,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { type CommandDefinition, CommandInput, type LookUp } from '../commands';
import { type PersonCommandData, personDecider } from './person.decider';
import { roleOf, TITLE_MAPPING, titleMappingDecider } from './title-mapping.decider';

export const SLUG = /^[a-z0-9-]{1,64}$/;
const ORG_UNIT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

class PersonalNameInput {
  @IsString()
  @MaxLength(200)
  given!: string;

  @IsString()
  @MaxLength(200)
  family!: string;
}

abstract class PersonInput extends CommandInput {
  @IsUUID()
  person!: string;
}

abstract class PositionInput extends PersonInput {
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  jobTitle!: string;

  /** What the tenant's mapping says of the job title when left out. */
  @IsOptional()
  @Matches(SLUG)
  role?: string;
}

abstract class JoinInput extends PositionInput {
  @Matches(ORG_UNIT)
  orgUnit!: string;

  /** Person id; nobody when left out. */
  @IsOptional()
  @IsUUID()
  manager?: string;
}

class HirePerson extends JoinInput implements Data<'HirePerson'> {
  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  employeeNumber!: string;

  @IsOptional()
  @ValidateNested()
  @Type(() => PersonalNameInput)
  name?: PersonalNameInput;

  @IsOptional()
  @IsEmail()
  email?: string;
}

class RehirePerson extends JoinInput implements Data<'RehirePerson'> {}

class ChangeRole extends PositionInput implements Data<'ChangeRole'> {
  /** Where a promotion comes with a new place. */
  @ValidateIf(({ orgUnit, manager }: ChangeRole) => orgUnit !== undefined || manager !== undefined)
  @Matches(ORG_UNIT)
  orgUnit?: string;

  /** Person id; nobody when left out beside an org unit. */
  @IsOptional()
  @IsUUID()
  manager?: string;
}

class TransferPerson extends PersonInput implements Data<'TransferPerson'> {
  @Matches(ORG_UNIT)
  orgUnit!: string;

  @IsOptional()
  @IsUUID()
  manager?: string;
}

class TerminatePerson extends PersonInput implements Data<'TerminatePerson'> {}

class CorrectProfile extends PersonInput implements Data<'CorrectProfile'> {
  @IsOptional()
  @ValidateNested()
  @Type(() => PersonalNameInput)
  name?: PersonalNameInput;

  @IsOptional()
  @IsEmail()
  email?: string;
}

type Data<Type extends keyof PersonCommandData> = Omit<PersonCommandData[Type], 'mapping'>;

/** What the tenant's mapping says of the job title, where the sender does not name the role. */
async function mappedRole({ jobTitle, role }: PositionInput, lookUp: LookUp): Promise<object> {
  return role === undefined ? roleOf(await lookUp(titleMappingDecider, TITLE_MAPPING), jobTitle) : {};
}

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const manager = '7c1f6f0e-9d0c-5a3e-9a55-0c6f3a7d9e21';

const decider = personDecider;

export const peopleCommands: readonly CommandDefinition[] = [
  {
    type: 'HirePerson',
    summary: 'Record that a person was hired.',
    input: HirePerson,
    roles: ['admin', 'service'],
    facts: mappedRole,
    decider,
    example: { person, employeeNumber: '10001', jobTitle: 'Engineer', orgUnit: 'd005', manager },
  },
  {
    type: 'RehirePerson',
    summary: 'Record that somebody who had left was hired again.',
    input: RehirePerson,
    roles: ['admin', 'service'],
    facts: mappedRole,
    decider,
    example: { person, jobTitle: 'Engineer', orgUnit: 'd005', manager },
  },
  {
    type: 'ChangeRole',
    summary:
      "Record a person's new job title and with it the role that it stands for, and a new place where there is one.",
    input: ChangeRole,
    roles: ['admin', 'service'],
    facts: mappedRole,
    decider,
    example: { person, jobTitle: 'Technique Leader' },
  },
  {
    type: 'TransferPerson',
    summary: 'Record a move to another org unit or manager.',
    input: TransferPerson,
    roles: ['admin', 'service'],
    decider,
    example: { person, orgUnit: 'd004', manager },
  },
  {
    type: 'TerminatePerson',
    summary: 'Record that a person has left.',
    input: TerminatePerson,
    roles: ['admin', 'service'],
    decider,
    example: { person },
  },
  {
    type: 'CorrectProfile',
    summary: "Correct a person's name or e-mail address.",
    input: CorrectProfile,
    roles: ['admin', 'service'],
    decider,
    example: { person, email: 'georgi.facello@example.com' },
  },
];
