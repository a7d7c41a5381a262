import { type Command, type Decider, derivedId, unreachable } from '../eventsourcing';
import type { NotificationEvent, NotificationStage } from './notification.events';

export interface Notification {
  readonly status: 'none' | 'requested' | 'sent';
  readonly person: string;
}

const initialState: Notification = { status: 'none', person: '' };

export interface NotificationCommandData {
  RequestNotification: {
    person: string;
    enrollment: string;
    course: string;
    stage: NotificationStage;
    /** The day that it is about: when it is due, expires, or was assigned. */
    item: string;
    dueOn?: string | null;
    cause: string;
  };
  MarkNotificationSent: { notification: string; receipt: string };
}

export type NotificationCommand = {
  [Type in keyof NotificationCommandData]: Command<Type, NotificationCommandData[Type]>;
}[keyof NotificationCommandData];

/** There is one notification per enrollment, item and stage, so that nobody is told twice, whoever asks for it and however often. */
export function notificationIdOf(enrollment: string, stage: NotificationStage, item: string): string {
  return derivedId('notification', enrollment, stage, item);
}

function decide(command: NotificationCommand, state: Notification): readonly NotificationEvent[] {
  switch (command.type) {
    case 'RequestNotification': {
      if (state.status !== 'none') return [];
      const { person, enrollment, course, stage, item, dueOn = null, cause } = command.data;
      const notification = notificationIdOf(enrollment, stage, item);
      return [
        { type: 'NotificationRequested', data: { notification, person, enrollment, course, stage, dueOn, cause } },
      ];
    }
    case 'MarkNotificationSent': {
      if (state.status !== 'requested') return [];
      const { notification, receipt } = command.data;
      return [{ type: 'NotificationSent', data: { notification, person: state.person, receipt } }];
    }
    default:
      return unreachable(command);
  }
}

function evolve(state: Notification, event: NotificationEvent): Notification {
  switch (event.type) {
    case 'NotificationRequested':
      return { status: 'requested', person: event.data.person };
    case 'NotificationSent':
      return { ...state, status: 'sent' };
    default:
      return unreachable(event);
  }
}

export const notificationDecider: Decider<Notification, NotificationCommand, NotificationEvent> = {
  category: 'notification',
  initialState,
  id: ({ type, data }) =>
    type === 'RequestNotification' ? notificationIdOf(data.enrollment, data.stage, data.item) : data.notification,
  decide,
  evolve,
  opens: ['RequestNotification'],
};
