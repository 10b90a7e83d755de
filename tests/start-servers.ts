import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startEmbeddedPostgres } from '../adapters/embedded/embedded-postgres.ts';
import { findFreePort } from '../adapters/embedded/free-port.ts';
import { spawnGuarded } from '../adapters/embedded/guarded-process.ts';
import { loadSettings } from '../config/load.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import { startTemporalDevServer } from '../temporal/dev-server.ts';
import { findTemporalServer } from '../temporal/find-server.ts';
import { TEMPLATE_DATABASE } from './servers.ts';
import { ROOT } from './source-files.ts';

declare global {
  var stopTestServers: (() => Promise<void>) | undefined;
}

/** One Postgres, one Temporal server and one bundle of the workflows for the whole jest run, on free ports, in a folder that goes with them. */
export default async function startServers(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-tests-'));
  const taken = new Set<number>();
  const bundle = join(folder, 'workflows.js');
  process.env['WEFT_TEST_BUNDLE'] = bundle;
  const [postgres, temporal] = await Promise.all([
    startPostgres(folder, taken),
    startTemporal(taken),
    buildBundle(bundle),
  ]);
  globalThis.stopTestServers = async () => {
    await Promise.all([postgres.stop(), temporal.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
}

/** In a process of its own: jest resolves modules in another way. */
async function buildBundle(outFile: string): Promise<void> {
  const script = join(ROOT, 'workers', 'build-bundle.ts');
  const { NODE_OPTIONS: _, WEFT_CODE_DIR: __, ...env } = process.env;
  await promisify(execFile)(process.execPath, [script, outFile], { cwd: ROOT, env });
}

async function startPostgres(folder: string, taken: Set<number>) {
  const server = await startEmbeddedPostgres({
    dataDir: join(folder, 'postgres'),
    port: 0,
    taken,
    log: () => undefined,
    settings: { fsync: 'off', full_page_writes: 'off' },
  });
  process.env['WEFT_TEST_DATABASE_URL'] = server.url;
  const client = new pg.Client(server.url);
  await client.connect();
  await client.query(`CREATE DATABASE ${TEMPLATE_DATABASE}`);
  await client.end();
  const url = new URL(server.url);
  url.pathname = TEMPLATE_DATABASE;
  await migrate(url.href);
  return server;
}

async function startTemporal(taken: Set<number>) {
  const binary = await findTemporalServer({
    cacheHome: loadSettings().XDG_CACHE_HOME,
    onProgress: (line) => process.stderr.write(`${line}\n`),
  });
  const server = await startTemporalDevServer({
    binary,
    dbFile: null,
    port: await findFreePort(0, taken),
    uiPort: await findFreePort(0, taken),
    namespace: 'default',
    log: () => undefined,
    spawn: spawnGuarded,
  });
  process.env['WEFT_TEST_TEMPORAL_BINARY'] = binary;
  process.env['WEFT_TEST_TEMPORAL_ADDRESS'] = server.address;
  process.env['WEFT_TEST_TEMPORAL_UI_URL'] = server.uiUrl;
  return server;
}
