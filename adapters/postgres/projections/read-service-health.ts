import type { Queryable } from '../payload-store.ts';
import { type Durations, durationsOf } from './read-node-stats.ts';

export type ServiceKind = 'PROVIDER' | 'TOOL' | 'QUEUE';
export type HealthFilter = {
  tenantId: string;
  kind?: ServiceKind | undefined;
  name?: string | undefined;
  from: Date;
  to: Date;
};
export type HealthFigures = { calls: number; failures: number; errorRate: number; meanMs: number } & Durations;
export type ServiceHealth = HealthFigures & {
  kind: ServiceKind;
  name: string;
  /** Share of the hours with calls in which at least half of them were answered. */
  availability: number;
  lastError: { code: string; runId: string | null; at: Date } | null;
  hours: (HealthFigures & { hour: Date })[];
};

type Row = {
  kind: ServiceKind;
  name: string;
  hour: Date;
  calls: number;
  failures: number;
  total_ms: number;
  longest_ms: number;
  last_error: { code: string; runId: string | null } | null;
  last_error_at: Date | null;
};
type LatencyRow = { kind: ServiceKind; name: string; hour: Date; bucket: number; calls: number };

const CHOSEN = `tenant_id = $1 AND ($2::text IS NULL OR kind = $2) AND ($3::text IS NULL OR name = $3)
  AND hour >= date_trunc('hour', $4::timestamptz, 'UTC') AND hour < $5`;

/** Task queues are counted with the nodes that are on them. */
const both = (what: string): string => `(SELECT * FROM service_${what} UNION ALL SELECT * FROM queue_${what}) AS calls`;

/** By kind and name, with the hours in which there were calls, oldest first. */
export async function readServiceHealth(db: Queryable, filter: HealthFilter): Promise<ServiceHealth[]> {
  const values = [filter.tenantId, filter.kind ?? null, filter.name ?? null, filter.from, filter.to];
  const { rows } = await db.query<Row>(
    `SELECT kind, name, hour, calls.calls::float8, failures::float8, total_ms::float8, longest_ms::float8, last_error, last_error_at
     FROM ${both('calls')} WHERE ${CHOSEN} ORDER BY kind, name, hour`,
    values,
  );
  const latencies = await db.query<LatencyRow>(
    `SELECT kind, name, hour, bucket, calls.calls::float8 FROM ${both('latencies')} WHERE ${CHOSEN}`,
    values,
  );
  const latenciesOf = Map.groupBy(latencies.rows, serviceOf);
  return [...Map.groupBy(rows, serviceOf)].map(([service, hours]) => healthOf(hours, latenciesOf.get(service) ?? []));
}

const serviceOf = ({ kind, name }: { kind: string; name: string }): string => `${kind} ${name}`;

function healthOf(hours: readonly Row[], latencies: readonly LatencyRow[]): ServiceHealth {
  const { kind, name } = hours[0] as Row;
  const failed = hours.filter(({ last_error_at: at }) => at !== null).at(-1);
  const up = hours.filter(({ calls, failures }) => failures * 2 <= calls);
  return {
    ...{ kind, name, ...figuresOf(hours, latencies) },
    availability: up.length / hours.length,
    lastError: failed?.last_error && failed.last_error_at ? { ...failed.last_error, at: failed.last_error_at } : null,
    hours: hours.map((row) => {
      const own = latencies.filter(({ hour }) => hour.getTime() === row.hour.getTime());
      return { hour: row.hour, ...figuresOf([row], own) };
    }),
  };
}

function figuresOf(rows: readonly Row[], latencies: readonly LatencyRow[]): HealthFigures {
  const sum = (of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
  const counts = new Map<number, number>();
  for (const { bucket, calls } of latencies) counts.set(bucket, (counts.get(bucket) ?? 0) + calls);
  const [calls, failures] = [sum((row) => row.calls), sum((row) => row.failures)];
  return {
    ...{ calls, failures, errorRate: failures / calls, meanMs: sum((row) => row.total_ms) / calls },
    ...durationsOf(counts, Math.max(...rows.map((row) => row.longest_ms))),
  };
}
