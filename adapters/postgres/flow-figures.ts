import type pg from 'pg';

export type FlowFigures = {
  /** Runs that have not begun, by what holds them up. */
  waiting: ReadonlyMap<WaitingFor, number>;
  /** How long the first of those has waited whom nothing but their turn holds up. */
  oldestWaitMs: number;
  leases: number;
};

export const WAITING_FOR = ['concurrency', 'singleton', 'rate', 'debounce', 'delay', 'admission', 'start'] as const;
export type WaitingFor = (typeof WAITING_FOR)[number];

/**
 * Of all tenants. A line is counted in its index, and what it waits for is read from one of its runs, as all of them wait for the
 * same.
 */
export async function readFlowFigures(pool: pg.Pool): Promise<FlowFigures> {
  const { rows } = await pool.query<{ waiting_for: WaitingFor; runs: number }>(
    `WITH lines AS (
       SELECT tenant_id, waits_for, count(*) AS runs FROM run_admissions
       WHERE state = 'WAITING' AND waits_for IS NOT NULL GROUP BY tenant_id, waits_for
     ), waiting AS (
       SELECT coalesce((
         SELECT lower(lease ->> 'policy') FROM (
           SELECT request FROM run_admissions
           WHERE tenant_id = lines.tenant_id AND waits_for = lines.waits_for AND state = 'WAITING' LIMIT 1
         ) AS one, json_array_elements(one.request -> 'leases') AS lease WHERE lease ->> 'name' = lines.waits_for LIMIT 1
       ), 'rate') AS waiting_for, runs FROM lines
       UNION ALL
       SELECT CASE WHEN ready_at <= clock_timestamp() THEN 'admission'
                   WHEN debounce IS NOT NULL THEN 'debounce' ELSE 'delay' END, 1
       FROM run_admissions WHERE state = 'WAITING' AND waits_for IS NULL
       UNION ALL
       SELECT 'start', count(*) FROM run_admissions WHERE state = 'ADMITTED'
     )
     SELECT waiting_for, sum(runs)::int AS runs FROM waiting GROUP BY waiting_for`,
  );
  const { rows: totals } = await pool.query<{ oldest_ms: number | null; leases: number }>(
    `SELECT (SELECT (extract(epoch FROM clock_timestamp() - min(greatest(since, ready_at))) * 1000)::float8
             FROM run_admissions WHERE state = 'WAITING' AND ready_at <= clock_timestamp()) AS oldest_ms,
            (SELECT count(*)::int FROM run_leases) AS leases`,
  );
  return {
    waiting: new Map(rows.map((row) => [row.waiting_for, row.runs])),
    oldestWaitMs: Math.max(0, totals[0]?.oldest_ms ?? 0),
    leases: totals[0]?.leases ?? 0,
  };
}
