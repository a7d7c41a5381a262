import type { Workflow } from '../eventsourcing';
import type { CertificationExpired } from './enrollment.events';

/** Whoever let a certificate expire must earn it again, if a rule still asks for it: that the enrollment itself knows. */
export const whenCertificateExpiresThenRecertify: Workflow<null, null, CertificationExpired> = {
  name: 'recertification',
  version: 1,
  handles: ['CertificationExpired'],
  key: ({ data }) => data.person,
  initialShared: null,
  initialOwn: null,
  evolveShared: () => null,
  evolveOwn: () => null,
  reactions: [
    {
      name: 'when-certificate-expires-then-recertify',
      on: ['CertificationExpired'],
      react: ({ data: { person, course, expiresOn }, metadata }) => [
        { type: 'OpenRenewal', at: metadata.occurredAt, data: { person, course, expiresOn } },
      ],
    },
  ],
};
