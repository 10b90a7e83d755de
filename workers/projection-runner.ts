import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { followProjections } from '../adapters/postgres/projections/follow-projections.ts';
import { IN_FEED, type Projection } from '../adapters/postgres/projections/projection.ts';
import { noteFailure, noteProgress, registerProjections } from '../adapters/postgres/projections/projection-store.ts';
import { rebuildProjections } from '../adapters/postgres/rebuild-projections.ts';

export type ProjectionRunner = { stop: () => Promise<void> };

const IDLE_MS = 250;
const LOOK_MS = 1_000;
const RETRY_MS = 5_000;

/** Lets projections follow the events, and builds them again when somebody asks. Any number of processes share the work. */
export function startProjectionRunner(
  pool: pg.Pool,
  projections: readonly Projection[],
  log: Logger,
): ProjectionRunner {
  const abort = new AbortController();
  const { signal } = abort;
  const onError = (error: unknown, projection: string) => log.warn({ err: error, projection }, 'a projection failed');
  let registered = false;
  const follow = async (): Promise<number> => {
    if (!registered) await registerProjections(pool, projections);
    registered = true;
    return (await followProjections(pool, projections, onError)) === 'behind' ? 0 : IDLE_MS;
  };
  const rebuild = async (): Promise<number> => {
    if (await isAskedFor(pool)) {
      const onProgress = (done: number, total: number) => noteProgress(pool, IN_FEED.name, done, total);
      const rebuilt = await rebuildProjections(pool, { onProgress, signal }).catch(async (error: unknown) => {
        if (!signal.aborted) await noteFailure(pool, IN_FEED.name, error);
        throw error;
      });
      if (rebuilt) log.info({ ...rebuilt, projection: IN_FEED.name }, 'a projection was built again');
    }
    return LOOK_MS;
  };
  const done = Promise.all([
    repeat(follow, signal, (error) => log.warn({ err: error }, 'projections could not be followed')),
    repeat(rebuild, signal, (error) => log.warn({ err: error }, 'the runs could not be built again')),
  ]);
  return {
    async stop() {
      abort.abort();
      await done;
    },
  };
}

/** `work` gives how long to rest after it. */
async function repeat(
  work: () => Promise<number>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Promise<void> {
  while (!signal.aborted) {
    const rest = await work().catch((error: unknown) => {
      if (!signal.aborted) onError(error);
      return RETRY_MS;
    });
    if (rest > 0) await sleep(rest, undefined, { signal }).catch(() => undefined);
  }
}

async function isAskedFor(pool: pg.Pool): Promise<boolean> {
  const { rows } = await pool.query<{ asked: boolean }>(
    `UPDATE projections SET followed_at = clock_timestamp() WHERE name = $1 RETURNING building IS NOT NULL AS asked`,
    [IN_FEED.name],
  );
  return rows[0]?.asked ?? false;
}
