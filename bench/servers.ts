import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '../adapters/embedded/embedded-postgres.ts';
import { findFreePort } from '../adapters/embedded/free-port.ts';
import { spawnGuarded } from '../adapters/embedded/guarded-process.ts';
import { migrate } from '../adapters/postgres/migrate.ts';
import { loadSettings } from '../config/load.ts';
import type { Settings } from '../config/settings.ts';
import { startTemporalDevServer } from '../temporal/dev-server.ts';
import { findTemporalServer } from '../temporal/find-server.ts';

export type BenchServers = {
  settings: Settings & { DATABASE_URL: string; TEMPORAL_ADDRESS: string };
  folder: string;
  pids: { postgres: number; temporal: number | null };
  stop: () => Promise<void>;
};

const quiet = () => undefined;

/** Servers of the bench's own, with the settings that `npm start` gives them, in a folder that goes with them. */
export async function startBenchServers({ temporal: needsTemporal }: { temporal: boolean }): Promise<BenchServers> {
  const folder = await mkdtemp(join(tmpdir(), 'weft-bench-'));
  const taken = new Set<number>();
  const [postgres, temporal] = await Promise.all([
    startEmbeddedPostgres({ dataDir: join(folder, 'postgres'), port: 0, taken, log: quiet }),
    needsTemporal ? startTemporal(folder, taken) : null,
  ]);
  await migrate(postgres.url);
  return {
    settings: {
      ...loadSettings(),
      DATABASE_URL: postgres.url,
      TEMPORAL_ADDRESS: temporal?.address ?? '',
      TEMPORAL_NAMESPACE: 'default',
    },
    folder,
    pids: { postgres: postgres.pid, temporal: temporal?.pid ?? null },
    stop: async () => {
      await Promise.all([postgres.stop(), temporal?.stop()]);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startTemporal(folder: string, taken: Set<number>) {
  return startTemporalDevServer({
    binary: await findTemporalServer({ cacheHome: null, onProgress: (line) => process.stderr.write(`${line}\n`) }),
    dbFile: join(folder, 'temporal.db'),
    port: await findFreePort(0, taken),
    uiPort: await findFreePort(0, taken),
    namespace: 'default',
    log: quiet,
    spawn: spawnGuarded,
  });
}
