import { type AnyDecider, type Decider } from '../eventsourcing';
import type { Role } from './role';

/** Gives the state of another aggregate of the same tenant, as its stream has it now. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- as for AnyDecider
export type LookUp = <S>(decider: Decider<S, any, any>, id: string) => Promise<S>;

/** One command as every door offers it. */
export interface CommandDefinition {
  /** Wire name in PascalCase; HTTP and NATS address it in kebab-case. */
  readonly type: string;
  readonly summary: string;
  /** Class whose class-validator decorators describe the command's data. */
  readonly input: new () => object;
  readonly roles: readonly Role[];
  /** Whether it is about whoever sends it (`sub` of the token): people who are neither admin nor service may send only such. */
  readonly own?: (data: never, sub: string) => boolean;
  /** Adds whoever sends it (`sub` of the token) to the data as `by`, for rules about who may do what. */
  readonly signed?: boolean;
  /**
   * What the command must know and its own stream does not say, looked up at the door and added to its data. Only what stays
   * true may be looked up, such as a published version: `decide` cannot notice when it is out of date.
   */
  readonly facts?: (data: never, lookUp: LookUp) => Promise<object>;
  readonly decider: AnyDecider;
  /** An example of the data, shown in OpenAPI. */
  readonly example: object;
}

/** `EnrollLearner` -> `enroll-learner`. */
export function commandPath(type: string): string {
  return type.replace(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
}
