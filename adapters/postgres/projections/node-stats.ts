import type pg from 'pg';
import { durationClass } from '../../../domain/events/duration-classes.ts';
import { type ClosedExecution, closedRuns, RUN_CLOSED } from './closed-executions.ts';
import type { ProjectedEvent, Projection } from './projection.ts';
import { type ServiceCall, writeServiceCalls } from './service-health.ts';

export const NODE_STATS: Projection = {
  name: 'node-stats',
  version: 1,
  meaning:
    'How often each node of each version ran, failed and was tried again, and how long it took, also by task queue; counted when the run closes.',
  tables: ['node_stats', 'node_durations', 'queue_calls', 'queue_latencies'],
  types: RUN_CLOSED,
  apply,
};

type Counted = {
  tenantId: string;
  workflowId: string;
  version: number;
  runId: string;
  at: Date;
  durationMs: number | null;
} & ClosedExecution;

async function apply(
  client: pg.PoolClient,
  events: readonly ProjectedEvent[],
  table: (name: string) => string,
): Promise<void> {
  const runs = await closedRuns(client, events);
  const counted = runs.flatMap(({ executions, ...run }) =>
    executions.map((one): Counted => ({ ...run, ...one, ...timesOf(one, run.closedAt) })),
  );
  if (counted.length === 0) return;
  await writeStats(client, counted, table('node_stats'));
  await writeDurations(client, counted, table('node_durations'));
  await writeServiceCalls(client, counted.flatMap(queueCall), {
    calls: table('queue_calls'),
    latencies: table('queue_latencies'),
  });
}

/** What never began is of the day on which the run closed. */
function timesOf({ startedAt, closedAt }: ClosedExecution, runClosedAt: Date) {
  const durationMs = startedAt === null || closedAt === null ? null : Math.max(0, closedAt - startedAt);
  return { at: closedAt === null ? runClosedAt : new Date(closedAt), durationMs };
}

function queueCall({ tenantId, runId, queue, status, at, durationMs, error: why }: Counted): ServiceCall[] {
  if (queue === null || durationMs === null || (status !== 'COMPLETED' && status !== 'FAILED')) return [];
  const error = why && { code: why.code, runId };
  return [{ tenantId, kind: 'QUEUE', name: queue, at, durationMs, failed: status === 'FAILED', error }];
}

async function writeStats(client: pg.PoolClient, counted: readonly Counted[], table: string): Promise<void> {
  await client.query(
    `INSERT INTO ${table} AS stored (tenant_id, workflow_id, version, node_id, day, type, completed, failed, cancelled, skipped,
                                     retries, total_ms, longest_ms, last_error, last_error_at, last_error_run)
     SELECT tenant_id, workflow_id, version, node_id, (at AT TIME ZONE 'UTC')::date, max(type),
            count(*) FILTER (WHERE status = 'COMPLETED'), count(*) FILTER (WHERE status = 'FAILED'),
            count(*) FILTER (WHERE status = 'CANCELLED'), count(*) FILTER (WHERE status = 'SKIPPED'),
            sum(greatest(attempts - 1, 0)), coalesce(sum(ms), 0), coalesce(max(ms), 0),
            (array_agg(error ORDER BY at DESC, ordinal DESC) FILTER (WHERE error IS NOT NULL))[1],
            max(at) FILTER (WHERE error IS NOT NULL),
            (array_agg(run_id ORDER BY at DESC, ordinal DESC) FILTER (WHERE error IS NOT NULL))[1]
     FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::int[], $9::bigint[],
                 $10::json[], $11::text[]) WITH ORDINALITY
       AS given(tenant_id, workflow_id, version, node_id, at, type, status, attempts, ms, error, run_id, ordinal)
     GROUP BY 1, 2, 3, 4, 5
     ON CONFLICT (tenant_id, workflow_id, version, node_id, day) DO UPDATE
     SET completed = stored.completed + excluded.completed, failed = stored.failed + excluded.failed,
         cancelled = stored.cancelled + excluded.cancelled, skipped = stored.skipped + excluded.skipped,
         retries = stored.retries + excluded.retries, total_ms = stored.total_ms + excluded.total_ms,
         longest_ms = greatest(stored.longest_ms, excluded.longest_ms),
         last_error = CASE WHEN ${NEWER} THEN excluded.last_error ELSE stored.last_error END,
         last_error_run = CASE WHEN ${NEWER} THEN excluded.last_error_run ELSE stored.last_error_run END,
         last_error_at = greatest(stored.last_error_at, excluded.last_error_at)`,
    [
      counted.map(({ tenantId }) => tenantId),
      counted.map(({ workflowId }) => workflowId),
      counted.map(({ version }) => version),
      counted.map(({ nodeId }) => nodeId),
      counted.map(({ at }) => at),
      counted.map(({ type }) => type),
      counted.map(({ status }) => status),
      counted.map(({ attempts }) => attempts),
      counted.map(({ durationMs }) => durationMs),
      counted.map(({ error }) => (error === null ? null : JSON.stringify(error))),
      counted.map(({ runId }) => runId),
    ],
  );
}

const NEWER = `excluded.last_error_at IS NOT NULL AND excluded.last_error_at >= coalesce(stored.last_error_at, '-infinity')`;

async function writeDurations(client: pg.PoolClient, counted: readonly Counted[], table: string): Promise<void> {
  const timed = counted.filter(({ durationMs, status }) => durationMs !== null && status !== 'SKIPPED');
  await client.query(
    `INSERT INTO ${table} AS stored (tenant_id, workflow_id, version, node_id, day, bucket, executions)
     SELECT tenant_id, workflow_id, version, node_id, (at AT TIME ZONE 'UTC')::date, bucket, count(*)
     FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::timestamptz[], $6::smallint[])
       AS given(tenant_id, workflow_id, version, node_id, at, bucket)
     GROUP BY 1, 2, 3, 4, 5, 6
     ON CONFLICT (tenant_id, workflow_id, version, node_id, day, bucket)
     DO UPDATE SET executions = stored.executions + excluded.executions`,
    [
      timed.map(({ tenantId }) => tenantId),
      timed.map(({ workflowId }) => workflowId),
      timed.map(({ version }) => version),
      timed.map(({ nodeId }) => nodeId),
      timed.map(({ at }) => at),
      timed.map(({ durationMs }) => durationClass(durationMs ?? 0)),
    ],
  );
}
