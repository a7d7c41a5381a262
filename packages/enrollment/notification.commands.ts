import { IsIn, IsNotEmpty, IsOptional, IsString, IsUUID, Matches, MaxLength } from 'class-validator';
import { type CommandDefinition, CommandInput, IsDay } from '../commands';
import { type NotificationCommandData, notificationDecider } from './notification.decider';
import { NOTIFICATION_STAGES, type NotificationStage } from './notification.events';

const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

class RequestNotification extends CommandInput implements Data<'RequestNotification'> {
  @IsUUID()
  person!: string;

  @IsUUID()
  enrollment!: string;

  @Matches(ID)
  course!: string;

  @IsIn(NOTIFICATION_STAGES)
  stage!: NotificationStage;

  /** The day that it is about. */
  @IsDay()
  item!: string;

  @IsOptional()
  @IsDay()
  dueOn?: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(64)
  cause!: string;
}

class MarkNotificationSent extends CommandInput implements Data<'MarkNotificationSent'> {
  @IsUUID()
  notification!: string;

  /** What the carrier answered, for example the id that it gave the message. */
  @IsString()
  @IsNotEmpty()
  @MaxLength(200)
  receipt!: string;
}

type Data<Type extends keyof NotificationCommandData> = NotificationCommandData[Type];

export const notificationCommands: readonly CommandDefinition[] = [
  {
    type: 'RequestNotification',
    summary: 'Put into the outbox that a person is to be told about an enrollment; once per item and stage.',
    input: RequestNotification,
    roles: ['admin', 'service'],
    decider: notificationDecider,
    example: {
      person: '0b0e8b6a-52a5-5f0e-8a43-6a1f3d2f8c11',
      enrollment: '7c1f6f0e-9d0c-5a3e-9a55-0c6f3a7d9e21',
      course: 'leadership-level-1',
      stage: 'due-soon',
      item: '2026-04-01',
      dueOn: '2026-04-01',
      cause: 'scheduler',
    },
  },
  {
    type: 'MarkNotificationSent',
    summary: 'Record that a notification has left the outbox.',
    input: MarkNotificationSent,
    roles: ['admin', 'service'],
    decider: notificationDecider,
    example: { notification: '7c1f6f0e-9d0c-5a3e-9a55-0c6f3a7d9e21', receipt: 'smtp-250-4711' },
  },
];
