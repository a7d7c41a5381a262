import { IsNotEmpty, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { type CommandDefinition, CommandInput } from '../commands';
import { SLUG } from './people.commands';
import { type TitleMappingCommandData, titleMappingDecider } from './title-mapping.decider';

class UnmapJobTitle extends CommandInput implements Data<'UnmapJobTitle'> {
  /** As the HRIS writes it. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  jobTitle!: string;
}

class MapJobTitle extends UnmapJobTitle implements Data<'MapJobTitle'> {
  @Matches(SLUG)
  role!: string;
}

class SetDefaultRole extends CommandInput implements Data<'SetDefaultRole'> {
  /** The slug of the title when left out. */
  @IsOptional()
  @Matches(SLUG)
  role?: string;
}

type Data<Type extends keyof TitleMappingCommandData> = TitleMappingCommandData[Type];

export const titleMappingCommands: readonly CommandDefinition[] = [
  {
    type: 'MapJobTitle',
    summary: 'Say which role a job title stands for; whoever holds it takes on that role.',
    input: MapJobTitle,
    roles: ['admin', 'compliance'],
    decider: titleMappingDecider,
    example: { jobTitle: 'Technique Leader', role: 'technique-leader' },
  },
  {
    type: 'UnmapJobTitle',
    summary: 'Let a job title stand for the default again.',
    input: UnmapJobTitle,
    roles: ['admin', 'compliance'],
    decider: titleMappingDecider,
    example: { jobTitle: 'Technique Leader' },
  },
  {
    type: 'SetDefaultRole',
    summary: 'Set the role of the job titles that are not mapped.',
    input: SetDefaultRole,
    roles: ['admin', 'compliance'],
    decider: titleMappingDecider,
    example: { role: 'staff' },
  },
];
