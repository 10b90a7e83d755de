import type pg from 'pg';
import { type TenantId, tenantId as asTenantId } from '../../domain/identifiers.ts';
import type {
  BatchError,
  BatchFilter,
  BatchMigration,
  BatchOperation,
  BatchRecord,
  BatchStatus,
  WhatIf,
} from '../../domain/runs/batches/batch.ts';
import type { Queryable } from './payload-store.ts';
import { recordWithin } from './record-events.ts';
import { inTransaction } from './transaction.ts';

export type NewBatch = Pick<
  BatchRecord,
  'id' | 'tenantId' | 'operation' | 'filter' | 'migration' | 'whatIf' | 'reason' | 'dryRun' | 'createdBy'
>;

type Row = {
  id: string;
  tenant_id: string;
  operation: BatchOperation;
  status: BatchStatus;
  filter: Omit<BatchFilter, 'createdAfter' | 'createdBefore'> & {
    createdAfter: string | null;
    createdBefore: string | null;
  };
  migration: BatchMigration | null;
  what_if: WhatIf | null;
  reason: string | null;
  dry_run: boolean;
  created_by: string | null;
  total: number;
  done: number;
  failed: number;
  created_at: Date;
  closed_at: Date | null;
};

/** Chooses the runs and keeps them with the batch, in the caller's transaction; a dry run only counts them. */
export async function insertBatch(client: pg.PoolClient, batch: NewBatch): Promise<BatchRecord> {
  const { id, tenantId, operation, filter, migration, whatIf, reason, dryRun, createdBy } = batch;
  const { where, values } = chosenBy(tenantId, filter);
  const chosen = dryRun
    ? await client.query<{ count: number }>(`SELECT count(*)::int AS count FROM runs WHERE ${where}`, values)
    : await client.query<{ count: number }>(
        `WITH kept AS (INSERT INTO batch_runs (tenant_id, batch_id, run_id) SELECT tenant_id, $${values.length + 1}, id FROM runs WHERE ${where}
                         RETURNING 1)
           SELECT count(*)::int AS count FROM kept`,
        [...values, id],
      );
  const total = chosen.rows[0]?.count ?? 0;
  const status: BatchStatus = dryRun || total === 0 ? 'COMPLETED' : 'RUNNING';
  const { rows } = await client.query<Row>(
    `INSERT INTO batches (id, tenant_id, operation, status, filter, migration, what_if, reason, dry_run, created_by, total, closed_at)
       VALUES ($1, $2, $3, $4, $5, $10, $11, $6, $7, $8, $9, CASE WHEN $4 = 'COMPLETED' THEN now() END) RETURNING *`,
    [
      id,
      tenantId,
      operation,
      status,
      JSON.stringify(filter),
      reason,
      dryRun,
      createdBy,
      total,
      migration === null ? null : JSON.stringify(migration),
      whatIf === null ? null : JSON.stringify(whatIf),
    ],
  );
  return recordOf(rows[0] as Row);
}

function chosenBy(tenantId: TenantId, filter: BatchFilter): { where: string; values: unknown[] } {
  const values: unknown[] = [tenantId, filter.status];
  const filters = ['tenant_id = $1', 'status = ANY($2)', 'parent_run_id IS NULL'];
  const add = (condition: (place: string) => string, value: unknown) =>
    filters.push(condition(`$${values.push(value)}`));
  if (filter.workflowId !== null) add((place) => `workflow_id = ${place}`, filter.workflowId);
  if (Object.keys(filter.labels).length > 0) add((place) => `labels @> ${place}`, JSON.stringify(filter.labels));
  if (filter.runIds !== undefined) add((place) => `id = ANY(${place})`, filter.runIds);
  if (filter.createdAfter !== null) add((place) => `created_at >= ${place}`, filter.createdAfter);
  if (filter.createdBefore !== null) add((place) => `created_at < ${place}`, filter.createdBefore);
  return { where: filters.join(' AND '), values };
}

export async function readBatch(pool: pg.Pool, tenantId: TenantId, id: string): Promise<BatchRecord | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM batches WHERE id = $1 AND tenant_id = $2', [id, tenantId]);
  return rows[0] && recordOf(rows[0]);
}

/** Newest first. */
export async function listBatches(
  pool: pg.Pool,
  {
    tenantId,
    first,
    after,
  }: { tenantId: TenantId; first: number; after?: { createdAt: Date; id: string } | undefined },
): Promise<{ rows: BatchRecord[]; totalCount: number; hasNextPage: boolean }> {
  const count = await pool.query<{ count: number }>('SELECT count(*)::int AS count FROM batches WHERE tenant_id = $1', [
    tenantId,
  ]);
  const { rows } = await pool.query<Row>(
    `SELECT * FROM batches WHERE tenant_id = $1 AND ($2::timestamptz IS NULL OR (created_at, id) < ($2, $3))
     ORDER BY created_at DESC, id DESC LIMIT $4`,
    [tenantId, after?.createdAt ?? null, after?.id ?? null, first + 1],
  );
  return {
    rows: rows.slice(0, first).map(recordOf),
    totalCount: count.rows[0]?.count ?? 0,
    hasNextPage: rows.length > first,
  };
}

export async function listBatchErrors(
  pool: pg.Pool,
  batchId: string,
  { first, after }: { first: number; after: string },
): Promise<BatchError[]> {
  const { rows } = await pool.query<BatchError>(
    `SELECT run_id AS "runId", error->>'code' AS code, error->>'message' AS message FROM batch_runs
     WHERE batch_id = $1 AND state = 'FAILED' AND run_id > $2 ORDER BY run_id LIMIT $3`,
    [batchId, after, first],
  );
  return rows;
}

/** What is done stays done. Undefined when the batch is not there or has ended. */
export async function cancelBatchRow(
  pool: Queryable,
  tenantId: TenantId,
  id: string,
): Promise<BatchRecord | undefined> {
  const { rows } = await pool.query<Row>(
    `UPDATE batches SET status = 'CANCELLED', closed_at = now() WHERE id = $1 AND tenant_id = $2 AND status = 'RUNNING'
     RETURNING *`,
    [id, tenantId],
  );
  return rows[0] && recordOf(rows[0]);
}

/** A running batch that no process works on, for so long; renewed by `takeBatchRuns`. */
export async function claimBatch(pool: pg.Pool, claimMs: number): Promise<BatchRecord | undefined> {
  const { rows } = await pool.query<Row>(
    `UPDATE batches SET claimed_until = clock_timestamp() + $1 * interval '1 millisecond' WHERE id = (
       SELECT id FROM batches WHERE status = 'RUNNING' AND claimed_until <= clock_timestamp()
       ORDER BY claimed_until, created_at LIMIT 1 FOR UPDATE SKIP LOCKED
     ) RETURNING *`,
    [claimMs],
  );
  return rows[0] && recordOf(rows[0]);
}

export type TakenRun = { runId: string; repeated: boolean };

/** The next runs, marked before anything is done to them; `repeated` were marked by a process that is gone. Undefined when ended. */
export async function takeBatchRuns(
  pool: pg.Pool,
  batchId: string,
  { most, claimMs }: { most: number; claimMs: number },
): Promise<TakenRun[] | undefined> {
  return inTransaction(pool, async (client) => {
    const { rowCount } = await client.query(
      `UPDATE batches SET claimed_until = clock_timestamp() + $2 * interval '1 millisecond'
       WHERE id = $1 AND status = 'RUNNING'`,
      [batchId, claimMs],
    );
    if (rowCount === 0) return undefined;
    const { rows } = await client.query<TakenRun>(
      `WITH next AS (
         SELECT run_id, state FROM batch_runs WHERE batch_id = $1 AND state IN ('WAITING', 'TAKEN')
         ORDER BY run_id LIMIT $2 FOR UPDATE
       ), marked AS (
         UPDATE batch_runs SET state = 'TAKEN' FROM next WHERE batch_id = $1 AND batch_runs.run_id = next.run_id
       )
       SELECT run_id AS "runId", state = 'TAKEN' AS repeated FROM next ORDER BY run_id`,
      [batchId, most],
    );
    return rows;
  });
}

export type BatchOutcome = { runId: string; error: { code: string; message: string } | null };

/** Keeps what came of some runs, and closes the batch with the last of them. Gives false when it has ended. */
export async function settleBatchRuns(
  pool: pg.Pool,
  batchId: string,
  outcomes: readonly BatchOutcome[],
): Promise<boolean> {
  return inTransaction(pool, async (client) => {
    const settled = await client.query<{ done: number; failed: number }>(
      `WITH settled AS (
         UPDATE batch_runs SET state = CASE WHEN given.error IS NULL THEN 'DONE' ELSE 'FAILED' END, error = given.error
         FROM unnest($2::text[], $3::json[]) AS given(run_id, error)
         WHERE batch_id = $1 AND batch_runs.run_id = given.run_id AND state = 'TAKEN' RETURNING state
       )
       SELECT count(*) FILTER (WHERE state = 'DONE')::int AS done, count(*) FILTER (WHERE state = 'FAILED')::int AS failed
       FROM settled`,
      [
        batchId,
        outcomes.map(({ runId }) => runId),
        outcomes.map(({ error }) => (error === null ? null : JSON.stringify(error))),
      ],
    );
    const { done = 0, failed = 0 } = settled.rows[0] ?? {};
    const { rows } = await client.query<Pick<Row, 'status' | 'tenant_id' | 'done' | 'failed'>>(
      `UPDATE batches SET done = done + $2, failed = failed + $3,
         status = CASE WHEN status = 'RUNNING' AND done + failed + $2 + $3 >= total THEN 'COMPLETED' ELSE status END,
         closed_at = CASE WHEN status = 'RUNNING' AND done + failed + $2 + $3 >= total THEN now() ELSE closed_at END
       WHERE id = $1 RETURNING status, tenant_id, done, failed`,
      [batchId, done, failed],
    );
    const [batch] = rows;
    if (batch?.status === 'COMPLETED') {
      const payload = { id: batchId, done: batch.done, failed: batch.failed };
      await recordWithin(client, batch.tenant_id, [
        { type: 'batch.completed', id: batchId, eventId: `batch.completed/${batchId}`, payload },
      ]);
    }
    return batch?.status === 'RUNNING';
  });
}

const dateOf = (text: string | null): Date | null => (text === null ? null : new Date(text));

const recordOf = (row: Row): BatchRecord => ({
  id: row.id,
  tenantId: asTenantId(row.tenant_id),
  operation: row.operation,
  status: row.status,
  filter: {
    ...row.filter,
    createdAfter: dateOf(row.filter.createdAfter),
    createdBefore: dateOf(row.filter.createdBefore),
  },
  migration: row.migration,
  whatIf: row.what_if,
  reason: row.reason,
  dryRun: row.dry_run,
  createdBy: row.created_by,
  total: row.total,
  done: row.done,
  failed: row.failed,
  createdAt: row.created_at,
  closedAt: row.closed_at,
});
