import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountedBy, readCompose } from './compose-file';
import { PRODUCT_FOLDERS, readSources, REPOSITORY } from './source-file';

const dockerfile = readFileSync(join(REPOSITORY, 'infra/docker/Dockerfile'), 'utf8');
const { text, services, volumes } = readCompose();
const names = services.map(([name]) => name);

const exists = (path: string): boolean => existsSync(join(REPOSITORY, path));

/** The files of `.config` that are named in a text, and those that are named in them. */
function configured(text: string): string[] {
  const named = [...new Set(text.match(/\.config\/[\w.-]+\.[cm]js/g))];
  return named.flatMap((file) => [
    file,
    ...configured(readFileSync(join(REPOSITORY, file), 'utf8').replaceAll(file, '')),
  ]);
}

it('the image is built from all that the build reads', () => {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: { build: string };
  };
  const copied = readFileSync(join(REPOSITORY, '.dockerignore'), 'utf8').split('\n');
  const read = configured(scripts.build);
  expect(read).toContain('.config/bundle-loader.cjs');
  expect(copied).toEqual(expect.arrayContaining(read.map((file) => `!${file}`)));
});

describe.each(services)('the service %s', (_name, service) => {
  it('comes from an image or from the Dockerfile', () => {
    expect(service.image).toEqual(expect.any(String));
    if (service.build) expect(service.build).toEqual({ context: '.', dockerfile: 'infra/docker/Dockerfile' });
    else expect(service.image).toMatch(/:\d/);
  });

  it('says how its health is checked', () => {
    expect(service.healthcheck ?? (service.build && /^HEALTHCHECK /m.exec(dockerfile))).toBeTruthy();
  });

  it('waits until what it depends on is healthy', () => {
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(names).toContain(other);
      expect(condition).toBe('service_healthy');
    }
  });

  it('mounts volumes that are declared and files that exist', () => {
    for (const source of mountedBy(service)) {
      if (source.startsWith('.')) expect({ source, exists: exists(source) }).toEqual({ source, exists: true });
      else expect(volumes).toContain(source);
    }
  });

  it('is reached from this machine only', () => {
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('uses the other services by names that exist', () => {
    for (const [variable, value] of Object.entries(service.environment ?? {})) {
      const [, host] = /^ATTEST_.*_URL$/.test(variable) ? (/:\/\/(?:.*@)?([\w-]+):\d+/.exec(value) ?? []) : [];
      if (host) expect(names).toContain(host);
    }
  });
});

it('publishes no port twice', () => {
  const published = services.flatMap(([, { ports = [] }]) => ports.map((port) => port.split(':')[1]));
  expect(new Set(published).size).toBe(published.length);
});

it('declares no volume that nobody mounts', () => {
  expect(services.flatMap(([, service]) => mountedBy(service))).toEqual(expect.arrayContaining([...volumes]));
});

it('sets only variables that Attest reads', () => {
  const set = new Set(`${text}\n${dockerfile}`.match(/\bATTEST_\w+/g));
  const sources = readSources(PRODUCT_FOLDERS).map((source) => source.text);
  const read = new Set(sources.flatMap((source) => source.match(/\bATTEST_\w+/g) ?? []));
  expect([...set].filter((variable) => !read.has(variable))).toEqual([]);
});

it('has a default for every variable, so that a profile that is off asks for nothing', () => {
  expect(text.match(/\$\{\w+(?!:-|\w)[^}]*\}/g)).toBeNull();
});

it('starts programs that are there to be compiled', () => {
  const started = `${text}\n${dockerfile}`.match(/\bdist\/[\w/.-]+\.js\b/g) ?? [];
  const sources = started.map((file) => file.replace(/^dist\/(.*)\.js$/, '$1.ts'));
  expect(sources).toContain('apps/attest/cli.ts');
  expect(sources.filter((source) => !exists(source))).toEqual([]);
});

it('runs every program as `npm start` does', () => {
  const { scripts } = JSON.parse(readFileSync(join(REPOSITORY, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  const [entrypoint] = /(?<=^ENTRYPOINT ).*$/m.exec(dockerfile) ?? [];
  const [npmStart] = scripts.start.split(' dist/');
  expect((JSON.parse(entrypoint!) as string[]).join(' ')).toBe(npmStart);
});

it('hosts every service of Attest one by one in the profile split', () => {
  const alone = readdirSync(join(REPOSITORY, 'apps')).filter((app) => exists(`apps/${app}/main.ts`));
  const split = services.filter(([, { profiles = [] }]) => profiles.includes('split'));
  expect(split.map(([name, { command }]) => [name, ...(command ?? [])]).sort()).toEqual(
    alone.map((app) => [app, `dist/apps/${app}/main.js`]).sort(),
  );
});
