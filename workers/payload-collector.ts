import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from '@temporalio/client';
import type pg from 'pg';
import type { Logger } from 'pino';
import { type Collected, collectPayloads } from '../adapters/postgres/collect-payloads.ts';
import type { Settings } from '../config/settings.ts';
import { heldPayloads, historyRetentionMs } from '../temporal/held-payloads.ts';
import { tenantNamespaces } from '../temporal/tenant-namespaces.ts';

export type CollectorParts = {
  pool: pg.Pool;
  connection: Connection;
  settings: Pick<
    Settings,
    | 'TEMPORAL_NAMESPACE'
    | 'WEFT_TENANT_NAMESPACES'
    | 'WEFT_PAYLOAD_GC_INTERVAL_MINUTES'
    | 'WEFT_PAYLOAD_GRACE_HOURS'
    | 'WEFT_PAYLOAD_RETENTION_DAYS'
  >;
  log: Logger;
};

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** What is between a history and its reading, clocks included. */
const MARGIN_MS = HOUR_MS;
const LOOK_MS = 60_000;

/** One round. Anything that cannot be read ends it before something is deleted. Null when another process is at it. */
export async function collectOnce(
  { pool, connection, settings }: CollectorParts,
  { dryRun, signal }: { dryRun: boolean; signal: AbortSignal },
): Promise<Collected | null> {
  const namespaces = tenantNamespaces(settings).all;
  const retained = await Promise.all(namespaces.map((namespace) => historyRetentionMs(connection, namespace)));
  const graceMs = Math.max(settings.WEFT_PAYLOAD_GRACE_HOURS * HOUR_MS, ...retained) + MARGIN_MS;
  const days = settings.WEFT_PAYLOAD_RETENTION_DAYS;
  const startedBefore = new Date(Date.now() - graceMs + MARGIN_MS);
  return collectPayloads(pool, {
    graceMs,
    retentionMs: days === null ? null : days * DAY_MS,
    dryRun,
    held: heldAnywhere(connection, namespaces, { startedBefore, signal }),
  });
}

async function* heldAnywhere(
  connection: Connection,
  namespaces: readonly string[],
  how: { startedBefore: Date; signal: AbortSignal },
): ReturnType<typeof heldPayloads> {
  for (const namespace of namespaces) yield* heldPayloads(connection, { namespace, ...how });
}

/** Runs a round whenever the last one, of any process, is longer ago than the interval. */
export function startPayloadCollector(parts: CollectorParts): { stop: () => Promise<void> } {
  const { pool, settings, log } = parts;
  const abort = new AbortController();
  const everyMs = settings.WEFT_PAYLOAD_GC_INTERVAL_MINUTES * LOOK_MS;
  const loop = async () => {
    while (everyMs > 0 && !abort.signal.aborted) {
      try {
        if (await isDue(pool, everyMs)) {
          const collected = await collectOnce(parts, { dryRun: false, signal: abort.signal });
          if (collected) log.info(collected, 'payloads were collected');
        }
      } catch (error) {
        if (!abort.signal.aborted) log.warn({ err: error }, 'payloads could not be collected; nothing more is deleted');
      }
      await sleep(LOOK_MS, undefined, { signal: abort.signal }).catch(() => undefined);
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

async function isDue(pool: pg.Pool, everyMs: number): Promise<boolean> {
  const { rows } = await pool.query<{ due: boolean }>(
    `SELECT coalesce(max(finished_at) < now() - $1 * interval '1 ms', true) AS due FROM payload_collections`,
    [everyMs],
  );
  return rows[0]?.due ?? true;
}
