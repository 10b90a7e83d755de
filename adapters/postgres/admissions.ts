import type pg from 'pg';
import { tenantId as asTenantId } from '../../domain/identifiers.ts';
import type { RunId } from '../../domain/identifiers.ts';
import { readRuns } from './run-store.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';
import type { Queryable } from './payload-store.ts';

/** Tenants with something to look at: new runs that are due, places that became free, rates that let the next one go. */
export async function tenantsWithNews(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ tenant_id: string }>(
    `SELECT tenant_id FROM run_admissions WHERE state = 'WAITING' AND waits_for IS NULL AND ready_at <= clock_timestamp()
     UNION SELECT tenant_id FROM lease_releases
     UNION SELECT tenant_id FROM rate_wakes WHERE due_at <= clock_timestamp()`,
  );
  return rows.map((row) => row.tenant_id);
}

/** In how many ms something becomes due by time alone; null when nothing does. */
export async function nextDueMs(pool: pg.Pool): Promise<number | null> {
  const { rows } = await pool.query<{ due: number | null }>(
    `SELECT (extract(epoch FROM least(
       (SELECT min(ready_at) FROM run_admissions WHERE state = 'WAITING' AND waits_for IS NULL),
       (SELECT min(due_at) FROM rate_wakes)) - clock_timestamp()) * 1000)::float8 AS due`,
  );
  return rows[0]?.due ?? null;
}

const LIMIT = 200;

/** Admitted runs that nobody has tried to start for `quietMs`: whoever admitted them is gone, or Temporal was. */
export async function takeUnstarted(pool: pg.Pool, quietMs: number): Promise<RunRecord[]> {
  const { rows } = await pool.query<Named>(
    `UPDATE run_admissions SET tried_at = clock_timestamp() WHERE run_id IN (
       SELECT run_id FROM run_admissions
       WHERE state = 'ADMITTED' AND tried_at <= clock_timestamp() - $1 * interval '1 millisecond'
       ORDER BY tried_at LIMIT ${LIMIT} FOR UPDATE SKIP LOCKED
     ) RETURNING run_id, tenant_id`,
    [quietMs],
  );
  return readNamed(pool, rows);
}

export async function markStarted(pool: pg.Pool, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await pool.query(`UPDATE run_admissions SET state = 'STARTED' WHERE run_id = ANY($1) AND state = 'ADMITTED'`, [
    runIds,
  ]);
}

/** Runs that have to make room and that nobody has asked to for `quietMs`. */
export async function takeLeaving(pool: pg.Pool, quietMs: number): Promise<RunRecord[]> {
  const { rows } = await pool.query<Named>(
    `UPDATE run_leases SET asked_at = clock_timestamp() WHERE (tenant_id, name, run_id) IN (
       SELECT tenant_id, name, run_id FROM run_leases
       WHERE leaving AND (asked_at IS NULL OR asked_at <= clock_timestamp() - $1 * interval '1 millisecond')
       ORDER BY asked_at NULLS FIRST LIMIT ${LIMIT} FOR UPDATE SKIP LOCKED
     ) RETURNING run_id, tenant_id`,
    [quietMs],
  );
  return readNamed(pool, rows);
}

/** Runs that are to be closed without ever having begun. */
export async function readDropped(pool: pg.Pool): Promise<RunRecord[]> {
  const { rows } = await pool.query<Named>(
    `SELECT run_id, tenant_id FROM run_admissions WHERE state = 'DROPPED' ORDER BY sequence LIMIT ${LIMIT}`,
  );
  return readNamed(pool, rows);
}

export async function readNamedRuns(pool: pg.Pool, tenantId: string, runIds: readonly string[]): Promise<RunRecord[]> {
  return readNamed(
    pool,
    runIds.map((run_id) => ({ run_id, tenant_id: tenantId })),
  );
}

type Named = { run_id: string; tenant_id: string };

async function readNamed(pool: pg.Pool, named: readonly Named[]): Promise<RunRecord[]> {
  const found: RunRecord[] = [];
  for (const [tenant, rows] of Map.groupBy(named, (row) => row.tenant_id)) {
    found.push(...(await readRuns(pool, asTenantId(tenant), [...new Set(rows.map((row) => row.run_id as RunId))])));
  }
  return found;
}

/** Whether the run waits to be admitted, so that nobody may start it. */
export async function isQueued(pool: Queryable, runId: string): Promise<boolean> {
  const { rows } = await pool.query(
    `SELECT FROM run_admissions WHERE run_id = $1 AND state IN ('WAITING', 'DROPPED')`,
    [runId],
  );
  return rows.length > 0;
}

/** W3C Trace Context of the request that a run which had to be admitted comes from. */
export async function readTraceparent(pool: Queryable, runId: string): Promise<string | null> {
  const { rows } = await pool.query<{ traceparent: string | null }>(
    'SELECT traceparent FROM run_admissions WHERE run_id = $1',
    [runId],
  );
  return rows[0]?.traceparent ?? null;
}
