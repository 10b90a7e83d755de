import type pg from 'pg';
import {
  definitionHash,
  type DefinitionHash,
  type RunId,
  runId,
  type TenantId,
  type WorkflowId,
} from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import type { RunStatus } from '../../domain/runs/run-status.ts';
import { readColumns } from './large-values.ts';
import { createPayloadStore } from './payload-store.ts';

export type FleetRun = {
  id: RunId;
  version: number;
  definitionHash: DefinitionHash;
  status: RunStatus;
  input: Json;
  /** Runs that do items of a map for it. */
  slices: RunId[];
};
/** A place in the open runs of a workflow, oldest first. */
export type FleetPlace = { createdAt: Date; id: string };
/** `openEnd` is the place of the last open run here; null when there are none after it. */
export type Fleet = { open: FleetRun[]; openEnd: FleetPlace | null; openTotal: number; closed: FleetRun[] };

type Row = {
  id: string;
  version: number;
  definition_hash: string;
  status: RunStatus;
  input: Json;
  slices: string[];
  created_at: Date;
};

const OF_WORKFLOW = 'run.tenant_id = $1 AND run.workflow_id = $2';
/** Runs that do some items of a map for another are part of it. */
const WHOLE = `NOT EXISTS (SELECT FROM runs parent WHERE parent.id = run.parent_run_id AND parent.definition_hash = run.definition_hash)`;
const COLUMNS = `run.id, run.version, run.definition_hash, run.status, run.input, run.created_at,
  ARRAY(SELECT slice.id FROM runs slice WHERE slice.parent_run_id = run.id AND slice.definition_hash = run.definition_hash) AS slices`;

/** Runs of a workflow under way, oldest first, after a place, and the last of those that ended by themselves. */
export async function readFleet(
  pool: pg.Pool,
  fleet: { tenantId: TenantId; workflowId: WorkflowId; open: number; after: FleetPlace | null; closed: number },
): Promise<Fleet> {
  const { tenantId, workflowId, open, after, closed } = fleet;
  const [under, count, ended] = await Promise.all([
    pool.query<Row>(
      `SELECT ${COLUMNS} FROM runs run WHERE ${OF_WORKFLOW} AND run.closed_at IS NULL AND ${WHOLE}
         AND ($4::timestamptz IS NULL OR (run.created_at, run.id) > ($4, $5))
       ORDER BY run.created_at, run.id LIMIT $3`,
      [tenantId, workflowId, open + 1, after?.createdAt ?? null, after?.id ?? null],
    ),
    pool.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM runs run WHERE ${OF_WORKFLOW} AND run.closed_at IS NULL AND ${WHOLE}`,
      [tenantId, workflowId],
    ),
    pool.query<Row>(
      `SELECT ${COLUMNS} FROM runs run WHERE ${OF_WORKFLOW} AND run.status IN ('COMPLETED', 'FAILED') AND ${WHOLE}
       ORDER BY run.created_at DESC, run.id DESC LIMIT $3`,
      [tenantId, workflowId, closed],
    ),
  ]);
  const shown = under.rows.slice(0, open);
  const last = under.rows.length > open ? shown.at(-1) : undefined;
  return {
    open: await fleetRuns(pool, shown),
    openEnd: last ? { createdAt: last.created_at, id: last.id } : null,
    openTotal: count.rows[0]?.count ?? 0,
    closed: await fleetRuns(pool, ended.rows),
  };
}

async function fleetRuns(pool: pg.Pool, rows: readonly Row[]): Promise<FleetRun[]> {
  const inputs = await readColumns(
    createPayloadStore(pool),
    rows.map((row) => row.input),
  );
  return rows.map((row, index) => ({
    id: runId(row.id),
    version: row.version,
    definitionHash: definitionHash(row.definition_hash),
    status: row.status,
    input: inputs[index] as Json,
    slices: row.slices.map(runId),
  }));
}
