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
};

/** In definition order. Empty until the first event of the run was read. */
export async function listNodeExecutions(pool: pg.Pool, run: RunId): Promise<NodeExecutionRecord[]> {
  return (await listNodeExecutionsOfRuns(pool, [run])).get(run) ?? [];
}

/** For many runs by one query; runs without rows are absent. */
export async function listNodeExecutionsOfRuns(
  pool: pg.Pool,
  runs: readonly RunId[],
): Promise<Map<RunId, NodeExecutionRecord[]>> {
  const { rows } = await pool.query<Row>(
    `SELECT run_id, node_id, iteration, type, status, attempts, input, output, error, started_at, closed_at, port, handled
     FROM node_executions WHERE run_id = ANY($1) ORDER BY run_id, ordinal, string_to_array(iteration, '.')::int[], node_id`,
    [runs],
  );
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
  }));
  return Map.groupBy(records, (record) => record.runId);
}
