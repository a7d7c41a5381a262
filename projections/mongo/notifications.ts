import type { Db } from 'mongodb';
import type { NotificationEvent, NotificationStage } from '../../packages/enrollment/notification.events';
import type { Document, Projection } from '../../packages/eventsourcing';
import { type Answer, findPage, given, type Page } from './collection';

export interface NotificationDocument extends Document {
  readonly person: string;
  readonly enrollment: string;
  readonly course: string;
  readonly stage: NotificationStage;
  readonly dueOn: string | null;
  readonly status: 'pending' | 'sent';
  readonly requestedAt: string;
  readonly receipt: string | null;
}

/** The outbox: what people are to be told, and what they were told. */
export const notifications: Projection<NotificationDocument, NotificationEvent> = {
  name: 'notifications',
  version: 1,
  handles: ['NotificationRequested', 'NotificationSent'],
  key: ({ data }) => data.notification,
  evolve: (document, event) => {
    if (event.type === 'NotificationRequested') {
      const { person, enrollment, course, stage, dueOn } = event.data;
      return {
        _id: event.data.notification,
        tenant: event.metadata.tenant,
        person,
        enrollment,
        course,
        stage,
        dueOn,
        status: 'pending',
        requestedAt: event.metadata.occurredAt,
        receipt: null,
      };
    }
    if (!document) throw new Error('NotificationSent for a notification that was never requested');
    return { ...document, status: 'sent', receipt: event.data.receipt };
  },
  indexes: [{ key: { tenant: 1, person: 1 } }, { key: { tenant: 1, status: 1 } }],
};

export interface NotificationFilter {
  readonly person?: string | undefined;
  readonly status?: string | undefined;
}

export function findNotifications(
  db: Db,
  tenant: string,
  filter: NotificationFilter,
  page: Page,
): Promise<Answer<NotificationDocument>[]> {
  return findPage(db, notifications, given({ tenant, ...filter }), page);
}
