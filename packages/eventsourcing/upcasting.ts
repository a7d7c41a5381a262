import type { DomainEvent } from './messages';

/** Lifts data to the next version. @param occurredAt ISO 8601; when the event happened in the world */
export type Upcast = (data: object, occurredAt: string) => object;

/**
 * The versions of one event's data. `version` is what is written today; `upcast[n]` lifts data of version n to n + 1.
 * Every version below `version` must have its step.
 */
export interface EventVersion {
  readonly version: number;
  readonly upcast?: Readonly<Record<number, Upcast>>;
  /** Fields that are stored encrypted, with the key of the person whom the data's `person` names. */
  readonly personal?: readonly string[];
}

/** One entry per event of a union: the compiler refuses an event without its version. */
export type EventVersions<E extends DomainEvent> = Readonly<Record<E['type'], EventVersion>>;

const NOTHING: readonly string[] = [];

/** Every event that Attest knows, by wire name. */
export class EventCatalog {
  private readonly versions = new Map<string, EventVersion>();

  constructor(...contexts: readonly Readonly<Record<string, EventVersion>>[]) {
    for (const [type, version] of contexts.flatMap((context) => Object.entries(context))) {
      if (this.versions.has(type)) throw new Error(`two contexts define the event ${type}`);
      for (let from = 1; from < version.version; from++) {
        if (!version.upcast?.[from]) throw new Error(`${type} has no upcast from version ${from}`);
      }
      this.versions.set(type, version);
    }
  }

  get types(): readonly string[] {
    return [...this.versions.keys()];
  }

  /** The version written today. @throws Error for an event that no context defines. */
  current(type: string): number {
    const known = this.versions.get(type);
    if (!known) throw new Error(`no context defines the event ${type}`);
    return known.version;
  }

  /** The fields of this event that are stored encrypted; none for an event that no context defines. */
  personal(type: string): readonly string[] {
    return this.versions.get(type)?.personal ?? NOTHING;
  }

  /**
   * Data lifted to the newest version, so that all other code knows one version. Data of an unknown event is left as it is: it
   * was written by a newer Attest, or by somebody else.
   * @throws RangeError for a version newer than this program knows.
   */
  upcast(type: string, schema: number, data: object, occurredAt: string): object {
    const known = this.versions.get(type);
    if (!known || schema === known.version) return data;
    if (schema > known.version) {
      throw new RangeError(`${type} has schema ${schema}; this Attest knows up to ${known.version}: upgrade it`);
    }
    let lifted = data;
    for (let from = schema; from < known.version; from++) lifted = known.upcast![from]!(lifted, occurredAt);
    return lifted;
  }
}
