import { quantile } from '../../../domain/events/duration-classes.ts';
import type { RunError } from '../../../domain/runs/run-event.ts';
import type { Queryable } from '../payload-store.ts';

export type NodeStatsFilter = {
  tenantId: string;
  workflowId: string;
  version?: number | undefined;
  /** Days of UTC, both included. */
  from?: Date | undefined;
  to?: Date | undefined;
};
export type Durations = { p50Ms: number | null; p95Ms: number | null; p99Ms: number | null };
export type NodeStats = {
  version: number;
  nodeId: string;
  type: string;
  executions: number;
  completed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  retries: number;
  meanMs: number | null;
  longestMs: number;
  lastError: (RunError & { at: Date; runId: string }) | null;
} & Durations;

type Row = {
  version: number;
  node_id: string;
  type: string;
  completed: number;
  failed: number;
  cancelled: number;
  skipped: number;
  retries: number;
  total_ms: number;
  longest_ms: number;
  last_error: RunError | null;
  last_error_at: Date | null;
  last_error_run: string | null;
};
type DurationRow = { version: number; node_id: string; bucket: number; executions: number };

const CHOSEN = `tenant_id = $1 AND workflow_id = $2 AND ($3::int IS NULL OR version = $3)
  AND ($4::date IS NULL OR day >= $4) AND ($5::date IS NULL OR day <= $5)`;
const SUMS = ['completed', 'failed', 'cancelled', 'skipped', 'retries', 'total_ms']
  .map((name) => `sum(${name})::float8 AS ${name}`)
  .join(', ');

/** Newest version first, then in no order. */
export async function readNodeStats(db: Queryable, filter: NodeStatsFilter): Promise<NodeStats[]> {
  const values = [filter.tenantId, filter.workflowId, filter.version ?? null, dayOf(filter.from), dayOf(filter.to)];
  const { rows } = await db.query<Row>(
    `SELECT version, node_id, max(type) AS type, ${SUMS}, max(longest_ms)::float8 AS longest_ms, max(last_error_at) AS last_error_at,
            (array_agg(last_error ORDER BY last_error_at DESC NULLS LAST))[1] AS last_error,
            (array_agg(last_error_run ORDER BY last_error_at DESC NULLS LAST))[1] AS last_error_run
     FROM node_stats WHERE ${CHOSEN} GROUP BY version, node_id ORDER BY version DESC, node_id`,
    values,
  );
  const durations = await db.query<DurationRow>(
    `SELECT version, node_id, bucket, sum(executions)::float8 AS executions FROM node_durations
     WHERE ${CHOSEN} GROUP BY version, node_id, bucket`,
    values,
  );
  const counts = Map.groupBy(durations.rows, (row) => `${row.version}/${row.node_id}`);
  return rows.map((row) => {
    const own = counts.get(`${row.version}/${row.node_id}`) ?? [];
    return statsOf(row, new Map(own.map(({ bucket, executions }) => [bucket, executions])));
  });
}

function statsOf(row: Row, counts: ReadonlyMap<number, number>): NodeStats {
  const { version, type, completed, failed, cancelled, skipped, retries, last_error: error, last_error_at: at } = row;
  const timed = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return {
    ...{ version, nodeId: row.node_id, type, completed, failed, cancelled, skipped, retries },
    executions: completed + failed + cancelled + skipped,
    meanMs: timed === 0 ? null : row.total_ms / timed,
    longestMs: row.longest_ms,
    lastError: error && at ? { ...error, at, runId: row.last_error_run ?? '' } : null,
    ...durationsOf(counts, row.longest_ms),
  };
}

/** In UTC, whatever the time zone of the process. */
export const dayOf = (at: Date | undefined): string | null => at?.toISOString().slice(0, 10) ?? null;

/** No quantile is above the longest one, which is known exactly. */
export function durationsOf(counts: ReadonlyMap<number, number>, longestMs: number): Durations {
  const at = (share: number) => {
    const ms = quantile(counts, share);
    return ms === null ? null : Math.min(ms, longestMs);
  };
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
