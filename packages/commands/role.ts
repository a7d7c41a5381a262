/** The roles that a token can carry; the README says what each may do. */
export const ROLES = ['learner', 'manager', 'compliance', 'analyst', 'admin', 'service'] as const;
export type Role = (typeof ROLES)[number];
