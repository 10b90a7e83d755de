import { join } from 'node:path';
import { startEmbeddedPostgres } from '../../../adapters/embedded/embedded-postgres.ts';
import { findFreePort } from '../../../adapters/embedded/free-port.ts';
import { spawnGuarded } from '../../../adapters/embedded/guarded-process.ts';
import { migrate } from '../../../adapters/postgres/migrate.ts';
import type { Settings } from '../../../config/settings.ts';
import { connectTemporal } from '../../../temporal/client.ts';
import { startTemporalDevServer } from '../../../temporal/dev-server.ts';
import { findTemporalServer } from '../../../temporal/find-server.ts';
import { ensureSearchAttributes } from '../../../temporal/search-attributes.ts';
import type { StartContext } from './start-context.ts';

/** `DATABASE_URL`, or a Postgres of our own; migrated either way. */
export async function startPostgres(context: StartContext): Promise<{ databaseUrl: string; port: number | null }> {
  const { settings } = context;
  if (settings.DATABASE_URL !== null) {
    await context.phase('migrate', () => migrateReachable(String(settings.DATABASE_URL)));
    return { databaseUrl: settings.DATABASE_URL, port: null };
  }
  const output = context.openLog('postgres');
  const server = await context.phase('postgres', () =>
    startEmbeddedPostgres({
      dataDir: join(context.dataDir, 'postgres'),
      port: settings.WEFT_POSTGRES_PORT,
      taken: context.takenPorts,
      log: output.write,
    }),
  );
  context.parts.add('postgres', server);
  context.portChosen('Postgres', settings.WEFT_POSTGRES_PORT, server.port);
  void server.exited.then(() => context.partEnded('Postgres'));
  await context.phase('migrate', () => migrate(server.url));
  return { databaseUrl: server.url, port: server.port };
}

async function migrateReachable(databaseUrl: string): Promise<void> {
  try {
    await migrate(databaseUrl);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || !/^(E[A-Z]+|28|3D|08|57)/.test(code)) throw error;
    throw new Error(`Postgres cannot be reached: ${(error as Error).message || code}; check DATABASE_URL.`, {
      cause: error,
    });
  }
}

/** `TEMPORAL_ADDRESS`, or a dev server of our own; with our search attributes either way. */
export async function startTemporal(
  context: StartContext,
  codecEndpoint: string | null,
): Promise<{ address: string; uiUrl: string }> {
  const own = context.settings.TEMPORAL_ADDRESS === null;
  const server = own ? await startOwnTemporal(context, codecEndpoint) : null;
  const address = server?.address ?? String(context.settings.TEMPORAL_ADDRESS);
  await context.phase('search attributes', () => registerSearchAttributes(context.settings, address));
  return { address, uiUrl: server?.uiUrl ?? context.settings.TEMPORAL_UI_URL };
}

async function startOwnTemporal(
  context: StartContext,
  codecEndpoint: string | null,
): Promise<{ address: string; uiUrl: string }> {
  const { settings, takenPorts } = context;
  const binary = await context.phase('find temporal', () =>
    findTemporalServer({
      cacheHome: settings.XDG_CACHE_HOME,
      onProgress: context.tell,
      signal: context.parts.stopping,
    }),
  );
  const port = await findFreePort(settings.WEFT_TEMPORAL_PORT, takenPorts);
  const uiPort = await findFreePort(settings.WEFT_TEMPORAL_UI_PORT, takenPorts);
  const output = context.openLog('temporal');
  const server = await context.phase('temporal', () =>
    startTemporalDevServer({
      binary,
      dbFile: join(context.dataDir, 'temporal.db'),
      port,
      uiPort,
      namespace: settings.TEMPORAL_NAMESPACE,
      codecEndpoint,
      log: output.write,
      spawn: (command, args, options) => {
        const started = spawnGuarded(command, args, options);
        context.parts.add('temporal', started);
        return started;
      },
    }),
  );
  context.portChosen('Temporal', settings.WEFT_TEMPORAL_PORT, port);
  context.portChosen('Temporal Web UI', settings.WEFT_TEMPORAL_UI_PORT, uiPort);
  void server.exited.then(() => context.partEnded('Temporal'));
  return server;
}

async function registerSearchAttributes(settings: Settings, address: string): Promise<void> {
  const connection = await connectTemporal({ ...settings, TEMPORAL_ADDRESS: address });
  try {
    await ensureSearchAttributes(connection, settings.TEMPORAL_NAMESPACE);
  } finally {
    await connection.close();
  }
}
