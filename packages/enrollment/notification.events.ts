// Wire format: these names and shapes are stored for ever. Change one only by a new version with its upcast and golden file.
import type { DomainEvent, EventVersions } from '../eventsourcing';

/** What somebody is told about an enrollment, and when: at the assignment, before it is due, when it is overdue, before a certificate expires. */
export const NOTIFICATION_STAGES = ['assigned', 'due-soon', 'overdue', 'expiring', 'expired'] as const;
export type NotificationStage = (typeof NOTIFICATION_STAGES)[number];

/** Somebody is to be told. There is one stream, and therefore one notification, per enrollment, item that is due, and stage. */
export type NotificationRequested = DomainEvent<
  'NotificationRequested',
  {
    readonly notification: string;
    /** Who is told. */
    readonly person: string;
    readonly enrollment: string;
    readonly course: string;
    readonly stage: NotificationStage;
    /** The due date or expiry that it is about; null when nothing is due. */
    readonly dueOn: string | null;
    /** Id of the event that led to it. */
    readonly cause: string;
  }
>;

/** It has left the outbox; `receipt` is what the carrier answered. */
export type NotificationSent = DomainEvent<
  'NotificationSent',
  { readonly notification: string; readonly person: string; readonly receipt: string }
>;

export type NotificationEvent = NotificationRequested | NotificationSent;

export const notificationEventVersions: EventVersions<NotificationEvent> = {
  NotificationRequested: { version: 1 },
  NotificationSent: { version: 1 },
};
