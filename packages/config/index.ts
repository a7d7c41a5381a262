import type { IssuerSettings } from '../auth';
import { type MasterKey, parseMasterKeys } from './master-keys';

export { type MasterKey, openMasterKeys, parseMasterKeys } from './master-keys';

/** The four URLs that Attest knows, and whom it trusts. */
export interface Settings {
  readonly eventstore: string;
  readonly mongodb: string;
  readonly clickhouse: string;
  /** Without NATS the HTTP doors still work. */
  readonly nats: string | undefined;
  readonly issuer: IssuerSettings;
  /** They wrap the keys of people; the first one wraps from now on. */
  readonly masterKeys: readonly MasterKey[];
  /** Where logs go; stderr when undefined. */
  readonly logFile?: string | undefined;
}

/** A setting is missing or cannot be used; the message names the variable. */
export class SettingsError extends Error {
  override name = 'SettingsError';
}

/** Settings of a service that runs against real servers. @throws SettingsError that names what is missing. */
export function settingsFromEnvironment(env: NodeJS.ProcessEnv): Settings {
  const required = (name: string): string => {
    const value = env[name];
    if (!value) throw new SettingsError(`Set ${name}; the README's "Going to production" lists every variable.`);
    return value;
  };
  return {
    eventstore: required('ATTEST_EVENTSTORE_URL'),
    mongodb: required('ATTEST_MONGODB_URL'),
    clickhouse: required('ATTEST_CLICKHOUSE_URL'),
    nats: env.ATTEST_NATS_URL,
    issuer: {
      issuer: required('ATTEST_ISSUER'),
      audience: env.ATTEST_AUDIENCE ?? 'attest',
      jwks: new URL(required('ATTEST_JWKS_URL')),
    },
    masterKeys: masterKeysFrom(required('ATTEST_MASTER_KEY')),
  };
}

/** The keys of `ATTEST_MASTER_KEY`. @throws SettingsError */
export function masterKeysFrom(text: string): readonly MasterKey[] {
  try {
    return parseMasterKeys(text);
  } catch (error) {
    throw new SettingsError(`ATTEST_MASTER_KEY: ${(error as Error).message}.`);
  }
}
