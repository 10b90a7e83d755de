import type pg from 'pg';
import { type TenantId, type WorkflowId, workflowId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import type { Draft } from '../../domain/runs/versions/draft.ts';

type Row = {
  workflow_id: string;
  definition: Json;
  based_on_version: number | null;
  revision: number;
  updated_by: string | null;
  created_at: Date;
  updated_at: Date;
};

export type DraftChange = {
  tenantId: TenantId;
  workflowId: WorkflowId;
  definition: Json;
  basedOnVersion: number | null;
  updatedBy: string | null;
  /** The revision that is replaced; 0 makes the draft. */
  expectedRevision: number;
};

/** Undefined when the draft is at another revision. */
export async function writeDraft(pool: pg.Pool, change: DraftChange): Promise<Draft | undefined> {
  const { tenantId, workflowId: id, definition, basedOnVersion, updatedBy, expectedRevision } = change;
  const values = [tenantId, id, JSON.stringify(definition), basedOnVersion, updatedBy];
  const { rows } =
    expectedRevision === 0
      ? await pool.query<Row>(
          `INSERT INTO drafts (tenant_id, workflow_id, definition, based_on_version, updated_by, revision)
           VALUES ($1, $2, $3, $4, $5, 1) ON CONFLICT DO NOTHING RETURNING *`,
          values,
        )
      : await pool.query<Row>(
          `UPDATE drafts SET definition = $3, based_on_version = $4, updated_by = $5, revision = revision + 1,
                  updated_at = date_trunc('milliseconds', now())
           WHERE tenant_id = $1 AND workflow_id = $2 AND revision = $6 RETURNING *`,
          [...values, expectedRevision],
        );
  return rows[0] && draftOf(rows[0]);
}

export async function readDraft(pool: pg.Pool, tenantId: TenantId, id: WorkflowId): Promise<Draft | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM drafts WHERE tenant_id = $1 AND workflow_id = $2', [
    tenantId,
    id,
  ]);
  return rows[0] && draftOf(rows[0]);
}

/** By name. */
export async function listDrafts(
  pool: pg.Pool,
  { tenantId, first, after }: { tenantId: TenantId; first: number; after: string | undefined },
): Promise<{ rows: Draft[]; totalCount: number; hasNextPage: boolean }> {
  const [page, count] = await Promise.all([
    pool.query<Row>(
      `SELECT * FROM drafts WHERE tenant_id = $1 AND ($2::text IS NULL OR workflow_id > $2) ORDER BY workflow_id LIMIT $3`,
      [tenantId, after ?? null, first + 1],
    ),
    pool.query<{ count: number }>('SELECT count(*)::int AS count FROM drafts WHERE tenant_id = $1', [tenantId]),
  ]);
  return {
    rows: page.rows.slice(0, first).map(draftOf),
    totalCount: count.rows[0]?.count ?? 0,
    hasNextPage: page.rows.length > first,
  };
}

/** False when it is not there at this revision. */
export async function removeDraft(
  pool: pg.Pool,
  tenantId: TenantId,
  id: WorkflowId,
  revision: number,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    'DELETE FROM drafts WHERE tenant_id = $1 AND workflow_id = $2 AND revision = $3',
    [tenantId, id, revision],
  );
  return rowCount === 1;
}

const draftOf = (row: Row): Draft => ({
  workflowId: workflowId(row.workflow_id),
  definition: row.definition,
  basedOnVersion: row.based_on_version,
  revision: row.revision,
  updatedBy: row.updated_by,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
