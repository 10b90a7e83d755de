import type { Queryable } from './payload-store.ts';

export type LinkRow = { streamId: string; temporalRunId: string; version: number };

/** The links of a run that the store knows, oldest first. */
export async function listLinks(db: Queryable, runId: string): Promise<LinkRow[]> {
  const { rows } = await db.query<LinkRow>(
    `SELECT stream_id AS "streamId", temporal_run_id AS "temporalRunId", version FROM event_streams
     WHERE run_id = $1 ORDER BY sequence_base, stream_key`,
    [runId],
  );
  return rows;
}

export type AuditScope = { runId: string } | { open: true } | { last: number };

/** Undefined for a run that is not known here. */
export async function tenantOfRun(db: Queryable, runId: string): Promise<string | undefined> {
  const { rows } = await db.query<{ tenant_id: string }>('SELECT tenant_id FROM runs WHERE id = $1', [runId]);
  return rows[0]?.tenant_id;
}

/** Runs to be compared with Temporal: one, those that are open and have begun, or the newest that have begun. */
export async function runsToAudit(db: Queryable, scope: AuditScope): Promise<{ runId: string; tenantId: string }[]> {
  const begun = `NOT EXISTS (SELECT FROM run_admissions WHERE run_id = id AND state IN ('WAITING', 'DROPPED'))
    AND (closed_at IS NULL OR temporal_run_id IS NOT NULL)`;
  const [condition, limit, values] =
    'runId' in scope
      ? ['id = $1', '', [scope.runId]]
      : 'open' in scope
        ? [`closed_at IS NULL AND ${begun}`, '', []]
        : [begun, 'LIMIT $1', [scope.last]];
  const { rows } = await db.query<{ runId: string; tenantId: string }>(
    `SELECT id AS "runId", tenant_id AS "tenantId" FROM runs WHERE ${condition} ORDER BY created_at DESC, id DESC ${limit}`,
    values,
  );
  return rows;
}
