import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import type { Logger } from 'pino';
import { archiveEvents } from '../adapters/postgres/archive-events.ts';
import { deleteOldSessions } from '../adapters/postgres/session-store.ts';
import { dropEmptyPartitions, makeEventPartitions } from '../adapters/postgres/event-partitions.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

export type KeeperParts = { pool: pg.Pool; archiveAfterDays: number | null; log: Logger };

/**
 * Once an hour: sessions that are over, the partitions of the months to come, the archive of what closed long ago, and partitions
 * that are empty then.
 */
export function startEventKeeper({ pool, archiveAfterDays, log }: KeeperParts): { stop: () => Promise<void> } {
  const abort = new AbortController();
  const { signal } = abort;
  const round = async () => {
    const over = await deleteOldSessions(pool);
    if (over > 0) log.info({ over }, 'sessions that are over were deleted');
    const made = await makeEventPartitions(pool);
    if (made > 0) log.info({ made }, 'partitions for events were made');
    if (archiveAfterDays === null || signal.aborted) return;
    const closedBefore = new Date(Date.now() - archiveAfterDays * DAY_MS);
    const archived = await archiveEvents(pool, { closedBefore, signal });
    if (archived && archived.runs > 0) log.info(archived, 'events of closed runs were archived');
    const dropped = await dropEmptyPartitions(pool);
    if (dropped.length > 0) log.info({ dropped }, 'empty partitions of events were dropped');
  };
  const loop = async () => {
    while (!signal.aborted) {
      await round().catch((error: unknown) => log.warn({ err: error }, 'the event store could not be kept in order'));
      await sleep(HOUR_MS, undefined, { signal }).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async stop() {
      abort.abort();
      await running;
    },
  };
}
