import type pg from 'pg';
import type { ChildRun } from '../../domain/events/child-runs.ts';
import { columnText, type SpilledValues } from './large-values.ts';
import { HINT_CHANNEL } from './run-hints.ts';

/** With the text of the input, which may be large, so that it is put aside before any row is locked. */
export type ChildRow = { parentRunId: string; child: ChildRun; input: string };

export function childRow(parentRunId: string, child: ChildRun, spilled: SpilledValues): ChildRow {
  return { parentRunId, child, input: columnText(child.input, spilled) };
}

/** A child is known before its own history is read: its row, and a hint at it, are part of the event that starts it. */
export async function insertChildRuns(client: pg.PoolClient, children: readonly ChildRow[]): Promise<void> {
  if (children.length === 0) return;
  const column = <T>(of: (child: ChildRun) => T) => children.map(({ child }) => of(child));
  await client.query({
    name: 'insert-child-runs',
    text: `WITH child AS (
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::json[], $6::timestamptz[],
                                  $7::text[], $8::int[], $9::text[])
               AS child(id, parent_id, node_id, iteration, input, created_at, workflow_id, version, hash)
           ), inserted AS (
             INSERT INTO runs (id, tenant_id, workflow_id, version, definition_hash, input, created_at, parent_run_id,
                               parent_node_id, parent_iteration, trigger_kind, trigger_id, trigger_source, trigger_depth, labels,
                               priority, subject)
             SELECT child.id, parent.tenant_id, coalesce(child.workflow_id, parent.workflow_id),
                    coalesce(child.version, parent.version), coalesce(child.hash, parent.definition_hash), child.input,
                    child.created_at, parent.id, child.node_id, child.iteration, 'RUN', parent.id,
                    CASE WHEN parent.trigger_kind IN ('MANUAL', 'RUN') THEN parent.trigger_source END, parent.trigger_depth,
                    parent.labels, parent.priority, parent.subject
             FROM child JOIN runs parent ON parent.id = child.parent_id
             ON CONFLICT (id) DO NOTHING RETURNING id
           )
           INSERT INTO run_hints (run_id) SELECT id FROM inserted ORDER BY id ON CONFLICT DO NOTHING`,
    values: [
      column((child) => child.runId),
      children.map(({ parentRunId }) => parentRunId),
      column((child) => child.nodeId),
      column((child) => child.iteration),
      children.map(({ input }) => input),
      column((child) => child.startedAt),
      column((child) => child.definition?.workflowId ?? null),
      column((child) => child.definition?.version ?? null),
      column((child) => child.definition?.hash ?? null),
    ],
  });
  await client.query(`SELECT pg_notify($1, '')`, [HINT_CHANNEL]);
}
