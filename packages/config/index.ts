import type { IssuerSettings } from '../auth';
import type { KeySource } from '../evidence';
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
  readonly seals: SealSettings;
  /** Seconds between two comparisons of all stores with the log. */
  readonly reconcileSeconds: number;
  /** Where logs go; stderr when undefined. */
  readonly logFile?: string | undefined;
}

/** With which keys the log is sealed and seals are believed, and how often. */
export interface SealSettings {
  readonly keys: KeySource;
  /** A seal is due after so many events of a tenant, or so many seconds behind the first of them. */
  readonly everyEvents: number;
  readonly everySeconds: number;
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
    seals: sealSettings(env),
    reconcileSeconds: reconcileSeconds(env),
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

/**
 * @param file where a key is made and kept when the environment names none
 * @throws SettingsError that names the variable
 */
export function sealSettings(env: NodeJS.ProcessEnv, file?: string): SealSettings {
  return {
    keys: {
      key: env.ATTEST_SEAL_KEY || undefined,
      previousKey: env.ATTEST_SEAL_KEY_PREVIOUS || undefined,
      publicKeys: env.ATTEST_SEAL_PUBLIC_KEYS || undefined,
      file,
    },
    everyEvents: count(env, 'ATTEST_SEAL_EVENTS', 1_000, 5_000),
    everySeconds: count(env, 'ATTEST_SEAL_SECONDS', 10, 86_400),
  };
}

/** @throws SettingsError that names the variable */
export function reconcileSeconds(env: NodeJS.ProcessEnv): number {
  return count(env, 'ATTEST_RECONCILE_SECONDS', 86_400, 604_800);
}

/**
 * How far a process of the read side gives way to others on its machine.
 * @throws SettingsError that names the variable
 */
export function niceness(env: NodeJS.ProcessEnv, fallback: number): number {
  return env.ATTEST_NICE === '0' ? 0 : count(env, 'ATTEST_NICE', fallback, 19);
}

function count(env: NodeJS.ProcessEnv, name: string, fallback: number, most: number): number {
  const text = env[name];
  if (!text) return fallback;
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= most) return value;
  throw new SettingsError(`${name} must be a whole number from 1 to ${most}, not "${text}".`);
}
