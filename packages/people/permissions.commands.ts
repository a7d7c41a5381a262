import { IsArray, IsIn, Matches } from 'class-validator';
import { type CommandDefinition, CommandInput } from '../commands';
import { type PermissionCommandData, permissionDecider } from './permissions.decider';
import { type Permission, PERMISSIONS } from './permissions.events';

class GrantPermissions extends CommandInput implements Data<'GrantPermissions'> {
  @Matches(/^[a-z0-9-]{1,64}$/)
  role!: string;

  /** The whole list; an empty one takes all away. */
  @IsArray()
  @IsIn(PERMISSIONS, { each: true })
  permissions!: Permission[];
}

type Data<Type extends keyof PermissionCommandData> = PermissionCommandData[Type];

export const permissionCommands: readonly CommandDefinition[] = [
  {
    type: 'GrantPermissions',
    summary: 'Set what the people who hold a role may do.',
    input: GrantPermissions,
    roles: ['admin'],
    decider: permissionDecider,
    example: { role: 'technique-leader', permissions: ['see-team'] },
  },
];
