import type pg from 'pg';
import type { ChangedExecution } from '../../domain/events/changed-executions.ts';
import type { RunError } from '../../domain/runs/run-event.ts';
import type { RunState } from '../../domain/runs/run-state.ts';
import { int4Array, jsonArray, textArray, timestampArray } from './binary-array.ts';
import { columnText, type SpilledValues } from './large-values.ts';

export type NodeChange = { tenantId: string; runId: string } & ChangedExecution;
export type RunChange = { runId: string; temporalRunId: string; eventCount: number; state: RunState };
/** With the texts of the values that may be large, so that these are put aside before any row is locked. */
export type NodeRow = NodeChange & { input: string; output: string };
export type RunRow = RunChange & { output: string };
type Tables = { runs: string; nodes: string };
export const RUN_CHANGED_CHANNEL = 'weft_run_changed';
const LIVE: Tables = { runs: 'runs', nodes: 'node_executions' };

export function nodeRow(change: NodeChange, spilled: SpilledValues): NodeRow {
  return {
    ...change,
    input: columnText(change.node.input, spilled),
    output: columnText(change.node.output, spilled),
  };
}

export function runRow(change: RunChange, spilled: SpilledValues): RunRow {
  return { ...change, output: columnText(change.state.output, spilled) };
}

/** The one place where a node's state becomes a row; a rebuild writes the same into tables of its own. */
export async function upsertNodeRows(
  client: pg.PoolClient,
  changes: readonly NodeRow[],
  { nodes } = LIVE,
): Promise<void> {
  if (changes.length === 0) return;
  const column = <T>(of: (node: ChangedExecution['node']) => T) => changes.map(({ node }) => of(node));
  await client.query({
    name: `upsert-${nodes}`,
    text: `INSERT INTO ${nodes} AS stored (run_id, node_id, iteration, ordinal, type, status, attempts, input, output, error,
                                           started_at, closed_at, port, handled, tenant_id, reused_from)
           SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::int[], $8::json[],
                                $9::json[], $10::json[], $11::timestamptz[], $12::timestamptz[], $13::text[], $14::bool[], $15::text[],
                                $16::text[])
           ON CONFLICT (run_id, node_id, iteration) DO UPDATE
           SET status = excluded.status, attempts = excluded.attempts, input = excluded.input, output = excluded.output,
               error = excluded.error, started_at = excluded.started_at, closed_at = excluded.closed_at, port = excluded.port,
               handled = excluded.handled, reused_from = excluded.reused_from`,
    values: [
      textArray(changes.map((change) => change.runId)),
      textArray(column((node) => node.id)),
      textArray(column((node) => node.iteration)),
      int4Array(changes.map((change) => change.ordinal)),
      textArray(column((node) => node.type)),
      textArray(column((node) => node.status)),
      int4Array(column((node) => node.attempts)),
      jsonArray(changes.map((change) => change.input)),
      jsonArray(changes.map((change) => change.output)),
      jsonArray(column((node) => errorText(node.error))),
      timestampArray(column((node) => time(node.startedAt))),
      timestampArray(column((node) => time(node.closedAt))),
      textArray(column((node) => ('port' in node ? node.port : null))),
      column((node) => 'handled' in node && node.handled),
      textArray(changes.map((change) => change.tenantId)),
      textArray(column((node) => ('reused' in node ? (node.reused ?? null) : null))),
    ],
  });
}

/** `messages` are sent on RUN_CHANGED_CHANNEL when the transaction is committed. */
export async function updateRunRows(
  client: pg.PoolClient,
  changes: readonly RunRow[],
  { runs } = LIVE,
  messages: readonly string[] = [],
): Promise<void> {
  if (changes.length === 0) return;
  const column = <T>(of: (state: RunState) => T) => changes.map(({ state }) => of(state));
  await client.query({
    name: `update-${runs}`,
    text: `WITH changed AS (
           UPDATE ${runs} AS run
           SET status = change.status, output = change.output, error = change.error, started_at = change.started_at,
               closed_at = change.closed_at, temporal_run_id = change.temporal_run_id, event_count = change.event_count,
               paused = change.paused
           FROM unnest($1::text[], $2::text[], $3::json[], $4::json[], $5::timestamptz[], $6::timestamptz[], $7::text[],
                       $8::int[], $9::json[])
             AS change(id, status, output, error, started_at, closed_at, temporal_run_id, event_count, paused)
           WHERE run.id = change.id
           ) SELECT pg_notify('${RUN_CHANGED_CHANNEL}', message) FROM unnest($10::text[]) AS message`,
    values: [
      textArray(changes.map((change) => change.runId)),
      textArray(column((state) => state.status)),
      jsonArray(changes.map((change) => change.output)),
      jsonArray(column((state) => errorText(state.error))),
      timestampArray(column((state) => time(state.startedAt))),
      timestampArray(column((state) => time(state.closedAt))),
      textArray(changes.map((change) => change.temporalRunId)),
      int4Array(changes.map((change) => change.eventCount)),
      jsonArray(column((state) => pauseText(state))),
      textArray(messages),
    ],
  });
}

/** A pause that the end of the run has overtaken is none. */
const pauseText = ({ status, paused }: RunState): string | null =>
  status === 'PAUSED' && paused !== null ? JSON.stringify(paused) : null;
const errorText = (error: RunError | null): string | null => (error === null ? null : JSON.stringify(error));
const time = (at: number | null): Date | null => (at === null ? null : new Date(at));
