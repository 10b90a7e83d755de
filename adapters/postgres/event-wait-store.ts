import type pg from 'pg';
import { tenantId, type TenantId } from '../../domain/identifiers.ts';
import { isJsonObject, type Json } from '../../domain/json.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import type { EmittedEvent } from '../../domain/runs/triggers/event.ts';
import { readColumns } from './large-values.ts';
import { createPayloadStore } from './payload-store.ts';
import { TRIGGER_CHANNEL } from './trigger-firing-store.ts';

/** Clocks of Temporal and Postgres may differ by this much; a wait takes events from this long before it opened. */
const CLOCK_SKEW_MS = 1_000;

type WaitRow = { run_id: string; node_id: string; iteration: string; tenant_id: string; input: Json; started_at: Date };

/**
 * Notes open `wait` nodes that are not known yet. Must be committed before they look back: an event that was emitted before the
 * look back is found by it, and one emitted after finds the wait here, so every event meets every wait.
 */
export async function noteNewWaits(pool: pg.Pool, limit: number): Promise<number> {
  const { rows } = await pool.query<WaitRow>(
    `SELECT node.run_id, node.node_id, node.iteration, run.tenant_id, node.input, node.started_at
     FROM node_executions node JOIN runs run ON run.id = node.run_id
     WHERE node.unnoted AND node.started_at IS NOT NULL ORDER BY node.run_id
     LIMIT $1`,
    [limit],
  );
  if (rows.length === 0) return 0;
  const inputs = await readColumns(
    createPayloadStore(pool),
    rows.map((row) => row.input),
  );
  const wanted = inputs.map((input) => (isJsonObject(input) ? input : {}));
  const keys = [rows.map((row) => row.run_id), rows.map((row) => row.node_id), rows.map((row) => row.iteration)];
  await pool.query(
    `INSERT INTO event_waits (run_id, node_id, iteration, tenant_id, event, correlation, opened_at)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
     ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING`,
    [
      ...keys,
      rows.map((row) => row.tenant_id),
      wanted.map(({ event }) => String(event)),
      wanted.map(({ correlation }) => (correlation === undefined || correlation === null ? null : String(correlation))),
      rows.map((row) => row.started_at),
    ],
  );
  return markNoted(pool, keys);
}

/** A row that the feed is just writing is left for the next time, so that neither waits for the other. */
async function markNoted(pool: pg.Pool, keys: readonly (readonly string[])[]): Promise<number> {
  const { rowCount } = await pool.query(
    `WITH free AS (
       SELECT run_id, node_id, iteration FROM node_executions
       JOIN unnest($1::text[], $2::text[], $3::text[]) AS known(run_id, node_id, iteration)
         USING (run_id, node_id, iteration)
       FOR UPDATE OF node_executions SKIP LOCKED
     ) UPDATE node_executions node SET noted = true FROM free
       WHERE node.run_id = free.run_id AND node.node_id = free.node_id AND node.iteration = free.iteration`,
    [...keys],
  );
  return rowCount ?? 0;
}

/** Has new waits take the events that were emitted since they opened. */
export async function lookBack(pool: pg.Pool, limit: number): Promise<number> {
  const { rowCount } = await pool.query(
    `WITH fresh AS (
       SELECT * FROM event_waits WHERE NOT looked_back LIMIT $1 FOR UPDATE SKIP LOCKED
     ), missed AS (
       INSERT INTO event_wakes (tenant_id, event_id, run_id)
       SELECT DISTINCT event.tenant_id, event.id, fresh.run_id
       FROM fresh JOIN emitted_events event ON event.tenant_id = fresh.tenant_id AND event.name = fresh.event
         AND event.emitted_at >= fresh.opened_at - interval '${CLOCK_SKEW_MS} milliseconds'
         AND (fresh.correlation IS NULL OR event.correlation = fresh.correlation)
       JOIN runs run ON run.id = fresh.run_id
       WHERE NOT (run.trigger_kind = 'EVENT' AND run.trigger_source = event.id)
       ON CONFLICT DO NOTHING
     )
     UPDATE event_waits SET looked_back = true FROM fresh
     WHERE event_waits.run_id = fresh.run_id AND event_waits.node_id = fresh.node_id
       AND event_waits.iteration = fresh.iteration`,
    [limit],
  );
  return rowCount ?? 0;
}

/** Sends an event on its way to every run whose wait is known and open. */
export async function wakeWaits(client: pg.PoolClient, event: EmittedEvent): Promise<void> {
  await client.query(
    `WITH woken AS (
       INSERT INTO event_wakes (tenant_id, event_id, run_id)
       SELECT DISTINCT wait.tenant_id, $2, wait.run_id
       FROM event_waits wait
       JOIN node_executions node ON node.run_id = wait.run_id AND node.node_id = wait.node_id
         AND node.iteration = wait.iteration AND node.status = 'WAITING'
       JOIN runs run ON run.id = wait.run_id
       WHERE wait.tenant_id = $1 AND wait.event = $3 AND (wait.correlation IS NULL OR wait.correlation = $4)
         AND NOT (run.trigger_kind = 'EVENT' AND run.trigger_source = $2)
       ON CONFLICT DO NOTHING RETURNING run_id
     ) SELECT pg_notify('${TRIGGER_CHANNEL}', '') FROM woken LIMIT 1`,
    [event.tenantId, event.id, event.name, event.correlation],
  );
}

export type Wake = { tenantId: TenantId; eventId: string; runId: string; attempts: number };

/** Takes due wake-ups for `leaseMs`: who is gone by then has not sent them. */
export async function claimWakes(
  pool: pg.Pool,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): Promise<Wake[]> {
  const { rows } = await pool.query<{ tenant_id: string; event_id: string; run_id: string; attempts: number }>(
    `UPDATE event_wakes SET attempts = attempts + 1, due_at = now() + $2 * interval '1 millisecond'
     WHERE (tenant_id, event_id, run_id) IN (
       SELECT tenant_id, event_id, run_id FROM event_wakes WHERE state = 'PENDING' AND due_at <= now()
       ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING tenant_id, event_id, run_id, attempts`,
    [limit, leaseMs],
  );
  return rows.map((row) => ({
    tenantId: tenantId(row.tenant_id),
    eventId: row.event_id,
    runId: row.run_id,
    attempts: row.attempts,
  }));
}

export async function markWakeSent(pool: pg.Pool, wake: Wake): Promise<void> {
  await pool.query(
    `UPDATE event_wakes SET state = 'SENT', error = NULL WHERE tenant_id = $1 AND event_id = $2 AND run_id = $3`,
    [wake.tenantId, wake.eventId, wake.runId],
  );
}

/** Tried again after `retryInMs`, or never when that is null. */
export async function markWakeFailed(
  pool: pg.Pool,
  wake: Wake,
  error: RunError,
  retryInMs: number | null,
): Promise<void> {
  await pool.query(
    `UPDATE event_wakes SET error = $4, state = CASE WHEN $5::float8 IS NULL THEN 'DEAD' ELSE state END,
            due_at = now() + coalesce($5, 0) * interval '1 millisecond'
     WHERE tenant_id = $1 AND event_id = $2 AND run_id = $3`,
    [wake.tenantId, wake.eventId, wake.runId, JSON.stringify(error), retryInMs],
  );
}

export type EventDelivery = {
  runId: string;
  state: 'PENDING' | 'SENT' | 'DEAD';
  attempts: number;
  error: RunError | null;
};

/** The runs that an event was sent to. */
export async function listDeliveries(pool: pg.Pool, tenant: TenantId, eventId: string): Promise<EventDelivery[]> {
  const { rows } = await pool.query<EventDelivery>(
    `SELECT run_id AS "runId", state, attempts, error FROM event_wakes
     WHERE tenant_id = $1 AND event_id = $2 ORDER BY created_at, run_id LIMIT 1000`,
    [tenant, eventId],
  );
  return rows;
}

/** Forgets waits that are over; one that opens again is new. */
export async function forgetClosedWaits(pool: pg.Pool, limit = 1_000): Promise<void> {
  const { rows } = await pool.query<Pick<WaitRow, 'run_id' | 'node_id' | 'iteration'>>(
    `SELECT run_id, node_id, iteration FROM event_waits wait WHERE looked_back AND NOT EXISTS (
       SELECT FROM node_executions node WHERE node.run_id = wait.run_id AND node.node_id = wait.node_id
         AND node.iteration = wait.iteration AND node.type = 'wait' AND node.status = 'WAITING')
     LIMIT $1`,
    [limit],
  );
  if (rows.length === 0) return;
  const keys = [rows.map((row) => row.run_id), rows.map((row) => row.node_id), rows.map((row) => row.iteration)];
  const { rowCount } = await pool.query(
    `WITH over AS (
       SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) AS given(run_id, node_id, iteration)
     ), closed AS (
       SELECT run_id, node_id, iteration FROM over JOIN node_executions node USING (run_id, node_id, iteration)
       WHERE node.status <> 'WAITING' FOR UPDATE OF node SKIP LOCKED
     ), unnoted AS (
       UPDATE node_executions node SET noted = false FROM closed
       WHERE node.run_id = closed.run_id AND node.node_id = closed.node_id AND node.iteration = closed.iteration
     ), gone AS (
       SELECT * FROM over WHERE NOT EXISTS (
         SELECT FROM node_executions node WHERE node.run_id = over.run_id AND node.node_id = over.node_id
           AND node.iteration = over.iteration)
     )
     DELETE FROM event_waits wait USING (SELECT * FROM closed UNION ALL SELECT * FROM gone) AS forgotten
     WHERE wait.run_id = forgotten.run_id AND wait.node_id = forgotten.node_id AND wait.iteration = forgotten.iteration`,
    keys,
  );
  if (rows.length === limit && (rowCount ?? 0) > 0) await forgetClosedWaits(pool, limit);
}
