import { type AnyDecider } from '../eventsourcing';

/** The roles that a token can carry; the README says what each may do. */
export const ROLES = ['learner', 'manager', 'compliance', 'analyst', 'admin', 'service'] as const;
export type Role = (typeof ROLES)[number];

/** One command as every door offers it. */
export interface CommandDefinition {
  /** Wire name in PascalCase; HTTP and NATS address it in kebab-case. */
  readonly type: string;
  readonly summary: string;
  /** Class whose class-validator decorators describe the command's data. */
  readonly input: new () => object;
  readonly roles: readonly Role[];
  readonly decider: AnyDecider;
  /** An example of the data, shown in OpenAPI. */
  readonly example: object;
}

/** `EnrollLearner` -> `enroll-learner`. */
export function commandPath(type: string): string {
  return type.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}
