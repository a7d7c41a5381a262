import { Type } from 'class-transformer';
import { IsEmail, IsNotEmpty, IsOptional, IsString, IsUUID, Matches, MaxLength, ValidateNested } from 'class-validator';
import { type CommandDefinition, CommandInput } from '../commands';
import { type PersonCommandData, personDecider } from './person.decider';

const SLUG = /^[a-z0-9-]{1,64}$/;
const ORG_UNIT = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

class PersonalNameInput {
  @IsString()
  @MaxLength(200)
  given!: string;

  @IsString()
  @MaxLength(200)
  family!: string;
}

class HirePerson extends CommandInput implements Data<'HirePerson'> {
  @IsUUID()
  person!: string;

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

  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  jobTitle!: string;

  @Matches(SLUG)
  role!: string;

  @Matches(ORG_UNIT)
  orgUnit!: string;

  @IsOptional()
  @IsUUID()
  manager?: string;
}

class ChangeRole extends CommandInput implements Data<'ChangeRole'> {
  @IsUUID()
  person!: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  jobTitle!: string;

  @Matches(SLUG)
  role!: string;
}

class TransferPerson extends CommandInput implements Data<'TransferPerson'> {
  @IsUUID()
  person!: string;

  @Matches(ORG_UNIT)
  orgUnit!: string;

  @IsOptional()
  @IsUUID()
  manager?: string;
}

class TerminatePerson extends CommandInput implements Data<'TerminatePerson'> {
  @IsUUID()
  person!: string;
}

type Data<Type extends keyof PersonCommandData> = PersonCommandData[Type];

const person = '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11';
const manager = '7c1f6f0e-9d0c-5a3e-9a55-0c6f3a7d9e21';

export const peopleCommands: readonly CommandDefinition[] = [
  {
    type: 'HirePerson',
    summary: 'Record that a person was hired.',
    input: HirePerson,
    roles: ['admin', 'service'],
    decider: personDecider,
    example: { person, employeeNumber: '10001', jobTitle: 'Engineer', role: 'engineer', orgUnit: 'd005', manager },
  },
  {
    type: 'ChangeRole',
    summary: "Record a person's new job title and the role that it stands for.",
    input: ChangeRole,
    roles: ['admin', 'service'],
    decider: personDecider,
    example: { person, jobTitle: 'Technique Leader', role: 'technique-leader' },
  },
  {
    type: 'TransferPerson',
    summary: 'Record a move to another org unit or manager.',
    input: TransferPerson,
    roles: ['admin', 'service'],
    decider: personDecider,
    example: { person, orgUnit: 'd004', manager },
  },
  {
    type: 'TerminatePerson',
    summary: 'Record that a person has left.',
    input: TerminatePerson,
    roles: ['admin', 'service'],
    decider: personDecider,
    example: { person },
  },
];
