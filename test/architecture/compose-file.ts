import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { REPOSITORY } from './source-file';

/** What `docker-compose.yml` says of a service, as far as the rules ask. */
export interface ComposeService {
  readonly image?: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly command?: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly environment?: Readonly<Record<string, string>>;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly volumes?: readonly string[];
  readonly ports?: readonly string[];
  readonly profiles?: readonly string[];
}

/** `docker-compose.yml`. */
export interface ComposeFile {
  readonly text: string;
  /** By name. */
  readonly services: readonly (readonly [string, ComposeService])[];
  /** Names of the volumes that are declared. */
  readonly volumes: readonly string[];
}

export function readCompose(): ComposeFile {
  const text = readFileSync(join(REPOSITORY, 'docker-compose.yml'), 'utf8');
  const { services, volumes } = parse(text, { merge: true }) as Record<'services' | 'volumes', object>;
  return { text, services: Object.entries(services), volumes: Object.keys(volumes) };
}

/** Where a service's volumes come from: names of volumes, and paths that begin with a dot. */
export function mountedBy({ volumes = [] }: ComposeService): readonly string[] {
  return volumes.map((volume) => volume.split(':')[0]!);
}
