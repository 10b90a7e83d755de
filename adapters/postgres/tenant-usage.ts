import type pg from 'pg';
import type { TenantId } from '../../domain/identifiers.ts';

/** Counts one more run of today, unless there are `most` already. */
export async function takeRunOfToday(pool: pg.Pool, tenant: TenantId, most: number): Promise<boolean> {
  if (most === 0) return false;
  const { rowCount } = await pool.query(
    `INSERT INTO tenant_days AS today (tenant_id, day, runs) VALUES ($1, (now() AT TIME ZONE 'UTC')::date, 1)
     ON CONFLICT (tenant_id, day) DO UPDATE SET runs = today.runs + 1 WHERE today.runs < $2`,
    [tenant, most],
  );
  return rowCount === 1;
}

/** Whether as many runs are open. */
export async function hasOpenRuns(pool: pg.Pool, tenant: TenantId, many: number): Promise<boolean> {
  if (many === 0) return true;
  const { rowCount } = await pool.query(
    'SELECT FROM runs WHERE tenant_id = $1 AND closed_at IS NULL AND parent_run_id IS NULL LIMIT $2',
    [tenant, many],
  );
  return rowCount === many;
}

/** Bytes of the values of its runs and events. Reads all of them. */
export async function storageBytes(pool: pg.Pool, tenant: TenantId): Promise<number> {
  const { rows } = await pool.query<{ bytes: number }>(
    `SELECT (coalesce((SELECT sum(pg_column_size(events.*)) FROM events WHERE tenant_id = $1), 0)
           + coalesce((SELECT sum(pg_column_size(runs.*)) FROM runs WHERE tenant_id = $1), 0))::float8 AS bytes`,
    [tenant],
  );
  return rows[0]?.bytes ?? 0;
}
