import type pg from 'pg';
import { durationClass } from '../../../domain/events/duration-classes.ts';
import type { SystemPayload } from '../../../domain/events/system-event.ts';
import type { ProjectedEvent, Projection } from './projection.ts';

export const SERVICE_HEALTH: Projection = {
  name: 'service-health',
  version: 1,
  meaning: 'Calls, failures and latency of providers of models and of tools, by the hour.',
  tables: ['service_calls', 'service_latencies'],
  types: ['model.called', 'tool.called'],
  apply: async (client, events, table) =>
    writeServiceCalls(client, events.map(callOf), {
      calls: table('service_calls'),
      latencies: table('service_latencies'),
    }),
};

export type ServiceCall = {
  tenantId: string;
  kind: 'PROVIDER' | 'TOOL' | 'QUEUE';
  name: string;
  at: Date;
  failed: boolean;
  durationMs: number;
  /** Without its message, which may tell what is somebody's. */
  error: { code: string; runId: string | null } | null;
};

export async function writeServiceCalls(
  client: pg.PoolClient,
  calls: readonly ServiceCall[],
  tables: { calls: string; latencies: string },
): Promise<void> {
  if (calls.length === 0) return;
  await writeCalls(client, calls, tables.calls);
  await writeLatencies(client, calls, tables.latencies);
}

function callOf({ type, tenantId, occurredAt: at, payload }: ProjectedEvent): ServiceCall {
  const call = payload as unknown as SystemPayload<'model.called'> & SystemPayload<'tool.called'>;
  const { durationMs, outcome, runId } = call;
  const error = call.error && { code: call.error.code, runId };
  const of =
    type === 'model.called'
      ? { kind: 'PROVIDER' as const, name: call.provider }
      : { kind: 'TOOL' as const, name: call.tool };
  return { tenantId, at, durationMs, error, failed: outcome === 'FAILED', ...of };
}

async function writeCalls(client: pg.PoolClient, calls: readonly ServiceCall[], table: string): Promise<void> {
  await client.query(
    `INSERT INTO ${table} AS stored (tenant_id, hour, kind, name, calls, failures, total_ms, longest_ms, last_error, last_error_at)
     SELECT tenant_id, date_trunc('hour', at, 'UTC'), kind, name, count(*), count(*) FILTER (WHERE failed), sum(ms), max(ms),
            (array_agg(error ORDER BY at DESC, ordinal DESC) FILTER (WHERE failed))[1], max(at) FILTER (WHERE failed)
     FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::bool[], $6::bigint[], $7::json[]) WITH ORDINALITY
       AS given(tenant_id, at, kind, name, failed, ms, error, ordinal)
     GROUP BY 1, 2, 3, 4
     ON CONFLICT (tenant_id, hour, kind, name) DO UPDATE
     SET calls = stored.calls + excluded.calls, failures = stored.failures + excluded.failures,
         total_ms = stored.total_ms + excluded.total_ms, longest_ms = greatest(stored.longest_ms, excluded.longest_ms),
         last_error = CASE WHEN excluded.last_error_at >= coalesce(stored.last_error_at, '-infinity')
                           THEN excluded.last_error ELSE stored.last_error END,
         last_error_at = greatest(stored.last_error_at, excluded.last_error_at)`,
    [
      calls.map(({ tenantId }) => tenantId),
      calls.map(({ at }) => at),
      calls.map(({ kind }) => kind),
      calls.map(({ name }) => name),
      calls.map(({ failed }) => failed),
      calls.map(({ durationMs }) => durationMs),
      calls.map(({ error }) => (error === null ? null : JSON.stringify(error))),
    ],
  );
}

async function writeLatencies(client: pg.PoolClient, calls: readonly ServiceCall[], table: string): Promise<void> {
  await client.query(
    `INSERT INTO ${table} AS stored (tenant_id, hour, kind, name, bucket, calls)
     SELECT tenant_id, date_trunc('hour', at, 'UTC'), kind, name, bucket, count(*)
     FROM unnest($1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::smallint[]) AS given(tenant_id, at, kind, name, bucket)
     GROUP BY 1, 2, 3, 4, 5
     ON CONFLICT (tenant_id, hour, kind, name, bucket) DO UPDATE SET calls = stored.calls + excluded.calls`,
    [
      calls.map(({ tenantId }) => tenantId),
      calls.map(({ at }) => at),
      calls.map(({ kind }) => kind),
      calls.map(({ name }) => name),
      calls.map(({ durationMs }) => durationClass(durationMs)),
    ],
  );
}
