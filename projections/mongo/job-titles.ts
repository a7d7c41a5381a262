import type { Db } from 'mongodb';
import { derivedId, type Document, type Projection } from '../../packages/eventsourcing';
import type { PersonHired, PersonRehired, RoleChanged } from '../../packages/people/person.events';
import type { JobTitleMapped, JobTitleUnmapped } from '../../packages/people/title-mapping.events';
import { type Answer, findPage, given, type Page } from './collection';

export interface JobTitleDocument extends Document {
  readonly jobTitle: string;
  /** What it stands for now; null where senders name the role themselves. */
  readonly role: string | null;
  readonly mapped: boolean;
  /** When somebody held it first; null while nobody has. */
  readonly firstHeldOn: string | null;
}

type TitleEvent = PersonHired | PersonRehired | RoleChanged | JobTitleMapped | JobTitleUnmapped;

/** Every job title that was held or mapped: those that are not mapped are for somebody to look at. */
export const jobTitles: Projection<JobTitleDocument, TitleEvent> = {
  name: 'job_titles',
  version: 1,
  handles: ['PersonHired', 'PersonRehired', 'RoleChanged', 'JobTitleMapped', 'JobTitleUnmapped'],
  key: ({ data, metadata }) => derivedId('job-title', metadata.tenant, data.jobTitle),
  evolve: (document, event, _id) => {
    const { tenant } = event.metadata;
    const { jobTitle } = event.data;
    const before = document ?? { _id, tenant, jobTitle, role: null, mapped: false, firstHeldOn: null };
    if (event.type === 'JobTitleMapped' || event.type === 'JobTitleUnmapped') {
      return { ...before, role: event.data.role, mapped: event.type === 'JobTitleMapped' };
    }
    const { mapping, role, effectiveOn } = event.data;
    const firstHeldOn =
      before.firstHeldOn === null || effectiveOn < before.firstHeldOn ? effectiveOn : before.firstHeldOn;
    return { ...before, firstHeldOn, role: before.mapped || !mapping ? before.role : role };
  },
  indexes: [{ key: { tenant: 1, mapped: 1 } }],
};

export function findJobTitles(
  db: Db,
  tenant: string,
  filter: { readonly mapped?: boolean | undefined },
  page: Page,
): Promise<Answer<JobTitleDocument>[]> {
  return findPage(db, jobTitles, given({ tenant, ...filter }), page);
}
