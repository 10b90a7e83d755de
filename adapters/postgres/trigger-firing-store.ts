import type pg from 'pg';
import { tenantId, type TenantId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import type { RunStatus } from '../../domain/runs/run-status.ts';
import type { Firing, FiringKind, FiringState } from '../../domain/runs/triggers/firing.ts';
import { columnText, readColumns, spilledValues } from './large-values.ts';
import { newestPage, type NewestListing, type NewestPage } from './newest-page.ts';
import { createPayloadStore, type Queryable } from './payload-store.ts';

/** Told whenever there is something to do for those who work off firings, events and wake-ups. */
export const TRIGGER_CHANNEL = 'weft_trigger';

type Row = {
  id: string;
  tenant_id: string;
  kind: FiringKind;
  trigger_id: string;
  source: string;
  source_hash: string | null;
  workflow_id: string;
  version: number | null;
  input: Json;
  depth: number;
  state: FiringState;
  run_id: string | null;
  attempts: number;
  error: RunError | null;
  holder_id: string | null;
  stop_requested: string | null;
  created_at: Date;
};

export type NewFiring = Omit<Firing, 'state' | 'runId' | 'attempts' | 'error' | 'createdAt'> & {
  /** Of a firing for which no run can be started. */
  error?: RunError | null;
  /** How long it is left to whoever makes it, who means to start the run itself. */
  leaseMs?: number;
};

/** False when it was made before; then nothing is changed. */
export async function insertFiring(pool: Queryable, firing: NewFiring): Promise<boolean> {
  const spilled = spilledValues(pool);
  const input = columnText(firing.input, spilled);
  await createPayloadStore(pool).put(spilled);
  const { rows } = await pool.query(
    `WITH made AS (
       INSERT INTO trigger_firings (id, tenant_id, kind, trigger_id, source, source_hash, workflow_id, version, input, depth,
                                    holder_id, state, error, due_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, now() + $14 * interval '1 millisecond')
       ON CONFLICT (id) DO NOTHING RETURNING id
     ) SELECT pg_notify('${TRIGGER_CHANNEL}', '') FROM made`,
    [
      firing.id,
      firing.tenantId,
      firing.kind,
      firing.triggerId,
      firing.source,
      firing.sourceHash,
      firing.workflowId,
      firing.version,
      input,
      firing.depth,
      firing.holderId,
      firing.error ? 'DEAD' : 'PENDING',
      firing.error ? JSON.stringify(firing.error) : null,
      firing.leaseMs ?? 0,
    ],
  );
  return rows.length > 0;
}

export async function readFiring(pool: Queryable, tenant: TenantId, id: string): Promise<Firing | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM trigger_firings WHERE id = $1 AND tenant_id = $2', [
    id,
    tenant,
  ]);
  return (await fromRows(pool, rows))[0];
}

export type FiringListing = NewestListing & {
  tenantId: TenantId;
  kind?: FiringKind | undefined;
  triggerId?: string | undefined;
  state?: FiringState | undefined;
};

/** Newest first. */
export async function listFirings(pool: pg.Pool, listing: FiringListing): Promise<NewestPage<Firing>> {
  const { tenantId, kind, triggerId, state } = listing;
  const filters = { tenant_id: tenantId, kind, trigger_id: triggerId, state };
  const page = await newestPage<Row>(pool, 'trigger_firings', filters, listing);
  return { ...page, rows: await fromRows(pool, page.rows) };
}

/** Takes due firings for `leaseMs`: who is gone by then has not done it. */
export async function claimFirings(
  pool: pg.Pool,
  { limit, leaseMs }: { limit: number; leaseMs: number },
): Promise<(Firing & { stopRequested: string | null })[]> {
  const { rows } = await pool.query<Row>(
    `UPDATE trigger_firings SET attempts = attempts + 1, due_at = now() + $2 * interval '1 millisecond'
     WHERE id IN (SELECT id FROM trigger_firings WHERE state = 'PENDING' AND due_at <= now()
                  ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
     RETURNING *`,
    [limit, leaseMs],
  );
  const firings = await fromRows(pool, rows);
  return firings.map((firing, index) => ({ ...firing, stopRequested: rows[index]?.stop_requested ?? null }));
}

export async function markFiringStarted(pool: pg.Pool, id: string, runId: string): Promise<void> {
  await pool.query(`UPDATE trigger_firings SET state = 'STARTED', run_id = $2, error = NULL WHERE id = $1`, [
    id,
    runId,
  ]);
}

/** Tried again after `retryInMs`, or never when that is null. */
export async function markFiringFailed(
  pool: pg.Pool,
  id: string,
  error: RunError,
  retryInMs: number | null,
): Promise<void> {
  await pool.query(
    `UPDATE trigger_firings SET error = $2, state = CASE WHEN $3::float8 IS NULL THEN 'DEAD' ELSE state END,
            due_at = now() + coalesce($3, 0) * interval '1 millisecond'
     WHERE id = $1 AND state = 'PENDING'`,
    [id, JSON.stringify(error), retryInMs],
  );
}

/** Gives a dead firing its attempts back, and the input that it should have. False when there is no such. */
export async function reviveFiring(pool: pg.Pool, tenant: TenantId, id: string, input: Json): Promise<boolean> {
  const spilled = spilledValues(pool);
  const text = columnText(input, spilled);
  await createPayloadStore(pool).put(spilled);
  const { rowCount } = await pool.query(
    `WITH revived AS (
       UPDATE trigger_firings SET state = 'PENDING', attempts = 0, due_at = now(), error = NULL, input = $3
       WHERE id = $1 AND tenant_id = $2 AND state = 'DEAD' RETURNING id
     ) SELECT pg_notify('${TRIGGER_CHANNEL}', '') FROM revived`,
    [id, tenant, text],
  );
  return rowCount === 1;
}

/** Notes that the run of this holder is to be cancelled. */
export async function requestFiringStop(pool: pg.Pool, holderId: string, reason: string): Promise<void> {
  await pool.query(
    `WITH asked AS (UPDATE trigger_firings SET stop_requested = $2 WHERE holder_id = $1 AND reported_at IS NULL RETURNING id)
     SELECT pg_notify('${TRIGGER_CHANNEL}', '') FROM asked`,
    [holderId, reason],
  );
}

export type StopRequest = { id: string; tenantId: TenantId; runId: string; reason: string };

/** Started runs that are to be cancelled. */
export async function stopRequests(pool: pg.Pool): Promise<StopRequest[]> {
  const { rows } = await pool.query<{ id: string; tenant_id: string; run_id: string; stop_requested: string }>(
    `SELECT id, tenant_id, run_id, stop_requested FROM trigger_firings
     WHERE holder_id IS NOT NULL AND reported_at IS NULL AND state = 'STARTED' AND stop_requested IS NOT NULL LIMIT 100`,
  );
  return rows.map((row) => ({
    id: row.id,
    tenantId: tenantId(row.tenant_id),
    runId: row.run_id,
    reason: row.stop_requested,
  }));
}

export async function clearStopRequest(pool: pg.Pool, id: string): Promise<void> {
  await pool.query('UPDATE trigger_firings SET stop_requested = NULL WHERE id = $1', [id]);
}

export type EndedFiring = {
  id: string;
  tenantId: string;
  holderId: string;
  runId: string | null;
  /** Null when no run could be started. */
  status: RunStatus | null;
  error: RunError | null;
};

/** Firings whose holders wait to hear how their runs ended. */
export async function endedFirings(pool: pg.Pool): Promise<EndedFiring[]> {
  const { rows } = await pool.query<EndedFiring>(
    `SELECT firing.id, firing.tenant_id AS "tenantId", firing.holder_id AS "holderId", firing.run_id AS "runId", run.status,
            coalesce(run.error, firing.error) AS error
     FROM trigger_firings firing LEFT JOIN runs run ON run.id = firing.run_id
     WHERE firing.holder_id IS NOT NULL AND firing.reported_at IS NULL AND firing.state <> 'PENDING'
       AND (firing.state = 'DEAD' OR run.closed_at IS NOT NULL) LIMIT 100`,
  );
  return rows;
}

export async function markFiringReported(pool: pg.Pool, id: string): Promise<void> {
  await pool.query('UPDATE trigger_firings SET reported_at = now() WHERE id = $1', [id]);
}

/** Holders of other firings of the same trigger whose runs are open. */
export async function otherHolders(pool: pg.Pool, firing: Firing): Promise<{ holderId: string; runId: string }[]> {
  const { rows } = await pool.query<{ holderId: string; runId: string }>(
    `SELECT firing.holder_id AS "holderId", firing.run_id AS "runId"
     FROM trigger_firings firing JOIN runs run ON run.id = firing.run_id
     WHERE firing.tenant_id = $1 AND firing.kind = $2 AND firing.trigger_id = $3 AND firing.id <> $4
       AND firing.holder_id IS NOT NULL AND firing.reported_at IS NULL AND firing.state = 'STARTED'
       AND run.closed_at IS NULL`,
    [firing.tenantId, firing.kind, firing.triggerId, firing.id],
  );
  return rows;
}

/** Removes firings that are done with and older than this. */
export async function forgetFirings(pool: pg.Pool, olderThanMs: number): Promise<void> {
  await pool.query(
    `DELETE FROM trigger_firings WHERE id IN (
       SELECT id FROM trigger_firings WHERE state = 'STARTED' AND (holder_id IS NULL OR reported_at IS NOT NULL)
         AND created_at < now() - $1 * interval '1 millisecond' LIMIT 5000)`,
    [olderThanMs],
  );
}

async function fromRows(pool: Queryable, rows: readonly Row[]): Promise<Firing[]> {
  const inputs = await readColumns(
    createPayloadStore(pool),
    rows.map((row) => row.input),
  );
  return rows.map((row, index) => ({
    id: row.id,
    tenantId: tenantId(row.tenant_id),
    kind: row.kind,
    triggerId: row.trigger_id,
    source: row.source,
    sourceHash: row.source_hash,
    workflowId: row.workflow_id,
    version: row.version,
    input: inputs[index] as Json,
    depth: row.depth,
    state: row.state,
    runId: row.run_id,
    attempts: row.attempts,
    error: row.error,
    holderId: row.holder_id,
    createdAt: row.created_at,
  }));
}

/** Makes room for the same firing to be made again. */
export async function forgetDeadFiring(pool: pg.Pool, id: string): Promise<void> {
  await pool.query(`DELETE FROM trigger_firings WHERE id = $1 AND state = 'DEAD'`, [id]);
}
