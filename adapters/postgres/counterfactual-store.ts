import type pg from 'pg';
import { type RunId, runId, type TenantId, type WorkflowId } from '../../domain/identifiers.ts';
import type { Labels } from '../../domain/runs/flow-control/labels.ts';
import type { RunStatus } from '../../domain/runs/run-status.ts';

export type CounterfactualFilter = {
  tenantId: TenantId;
  workflowId: WorkflowId;
  status: readonly RunStatus[];
  labels: Labels;
  createdAfter: Date | null;
  createdBefore: Date | null;
  last: number;
};

/** The newest runs that fit, but for those that nodes of others have started. */
export async function chooseRuns(pool: pg.Pool, filter: CounterfactualFilter): Promise<RunId[]> {
  const { tenantId, workflowId, status, labels, createdAfter, createdBefore, last } = filter;
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM runs
     WHERE tenant_id = $1 AND workflow_id = $2 AND status = ANY($3) AND labels @> $4 AND parent_run_id IS NULL
       AND ($5::timestamptz IS NULL OR created_at >= $5) AND ($6::timestamptz IS NULL OR created_at < $6)
     ORDER BY created_at DESC, id DESC LIMIT $7`,
    [tenantId, workflowId, status, JSON.stringify(labels), createdAfter, createdBefore, last],
  );
  return rows.map(({ id }) => runId(id));
}

export type CounterfactualPair = { of: RunId; runId: RunId | null };

/** A run and the one that was made of it, by the id of the first; null before it has been its turn. */
export async function listCounterfactualPairs(
  pool: pg.Pool,
  { tenantId, batchId, first, after }: { tenantId: TenantId; batchId: string; first: number; after: string },
): Promise<CounterfactualPair[]> {
  const { rows } = await pool.query<{ of: string; made: string | null }>(
    `SELECT item.run_id AS of, made.id AS made FROM batch_runs item
     LEFT JOIN runs made ON made.rerun_of = item.run_id AND made.rerun->>'batchId' = item.batch_id
     WHERE item.tenant_id = $1 AND item.batch_id = $2 AND item.run_id > $3 ORDER BY item.run_id LIMIT $4`,
    [tenantId, batchId, after, first],
  );
  return rows.map(({ of, made }) => ({ of: runId(of), runId: made === null ? null : runId(made) }));
}

/** How many of its runs have not been made, or are not closed. */
export async function countOpenPairs(pool: pg.Pool, tenantId: TenantId, batchId: string): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM batch_runs item
     LEFT JOIN runs made ON made.rerun_of = item.run_id AND made.rerun->>'batchId' = item.batch_id
     WHERE item.tenant_id = $1 AND item.batch_id = $2 AND item.state <> 'FAILED' AND made.closed_at IS NULL`,
    [tenantId, batchId],
  );
  return rows[0]?.count ?? 0;
}
