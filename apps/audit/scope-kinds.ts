/** What a replay can be of, beside the whole tenant. Stands apart from what it takes to replay, so that the command line starts without. */
export const SCOPES = ['person', 'team', 'course', 'enrollment', 'attempt'] as const;
export type ScopeKind = (typeof SCOPES)[number];
