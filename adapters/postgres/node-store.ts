import type pg from 'pg';
import { nodeId, runId, type RunId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import type { NodeExecutionRecord } from '../../domain/runs/run-record.ts';
import type { NodeStatus } from '../../domain/runs/run-status.ts';
import { readColumns } from './large-values.ts';
import { createPayloadStore } from './payload-store.ts';

type Row = {
  run_id: string;
  node_id: string;
  iteration: string;
  type: string;
  status: NodeStatus;
  attempts: number;
  input: Json;
  output: Json;
  error: RunError | null;
  started_at: Date | null;
  closed_at: Date | null;
  port: string | null;
  handled: boolean;
  reused_from: string | null;
};

/** Of each run; `nodeId` takes those of one node, or of its undo. */
export type ExecutionPage = { nodeId?: string | undefined; first: number; offset?: number | undefined };
/** A run of loops may have very many. */
export const MOST_EXECUTIONS = 1_000;

/** In definition order, then by iteration. Empty until the first event of the run was read. */
export async function listNodeExecutions(
  pool: pg.Pool,
  run: RunId,
  page: ExecutionPage = { first: MOST_EXECUTIONS },
): Promise<NodeExecutionRecord[]> {
  return (await listNodeExecutionsOfRuns(pool, [run], page)).get(run) ?? [];
}

/** For many runs by one query; runs without rows are absent. */
export async function listNodeExecutionsOfRuns(
  pool: pg.Pool,
  runs: readonly RunId[],
  { nodeId: node, first, offset = 0 }: ExecutionPage = { first: MOST_EXECUTIONS },
): Promise<Map<RunId, NodeExecutionRecord[]>> {
  const { rows } = await pool.query<Row>({
    name: 'node-executions-of-runs',
    text: `SELECT execution.* FROM unnest($1::text[]) AS run(id) CROSS JOIN LATERAL (
       SELECT run_id, node_id, iteration, type, status, attempts, input, output, error, started_at, closed_at, port, handled,
              reused_from
       FROM node_executions WHERE run_id = run.id AND ($2::text IS NULL OR node_id = $2)
       ORDER BY ordinal, string_to_array(iteration, '.')::int[], node_id LIMIT $3 OFFSET $4
     ) execution`,
    values: [runs, node ?? null, first, offset],
  });
  const large = await readColumns(
    createPayloadStore(pool),
    rows.flatMap((row) => [row.input, row.output]),
  );
  const records = rows.map((row, index) => ({
    runId: runId(row.run_id),
    nodeId: nodeId(row.node_id),
    iteration: row.iteration,
    type: row.type,
    status: row.status,
    attempts: row.attempts,
    input: large[index * 2] as Json,
    output: large[index * 2 + 1] as Json,
    error: row.error,
    startedAt: row.started_at,
    closedAt: row.closed_at,
    port: row.port,
    handled: row.handled,
    reusedFrom: row.reused_from === null ? null : runId(row.reused_from),
  }));
  return Map.groupBy(records, (record) => record.runId);
}
