import type pg from 'pg';
import { readRun } from './run-store.ts';
import { type RunId, runId, tenantId } from '../../domain/identifiers.ts';
import type { RunRecord } from '../../domain/runs/run-record.ts';

/** Open runs that moved, or were made, within the last minute. */
export async function recentlyMovedRuns(pool: pg.Pool, shards: readonly number[]): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT id FROM runs WHERE shard = ANY($1) AND closed_at IS NULL AND (
       created_at > now() - interval '1 minute' OR EXISTS (
         SELECT FROM event_streams WHERE run_id = runs.id AND progressed_at > now() - interval '1 minute'))`,
    [shards],
  );
  return rows.map((row) => row.id);
}

export type UncheckedRun = {
  runId: string;
  tenantId: string;
  /** Null before the first event. */
  temporalRunId: string | null;
  version: number;
  /** Since it could have begun. */
  ageMs: number;
  /** The dispatcher is about to start it. */
  admitted: boolean;
};

/** Open runs without news for `quietMs`, those first that were looked at longest ago. */
export async function uncheckedRuns(
  pool: pg.Pool,
  { shards, quietMs, limit }: { shards: readonly number[]; quietMs: number; limit: number },
): Promise<UncheckedRun[]> {
  const { rows } = await pool.query<UncheckedRun>(
    `SELECT run.id AS "runId", run.tenant_id AS "tenantId", link.temporal_run_id AS "temporalRunId",
            coalesce(link.version, 0) AS version, coalesce(admission.state = 'ADMITTED', false) AS admitted,
            (extract(epoch FROM now() - greatest(run.created_at, admission.ready_at, admission.tried_at)) * 1000)::float8 AS "ageMs"
     FROM runs run
     LEFT JOIN run_admissions admission ON admission.run_id = run.id
     LEFT JOIN run_checks ON run_checks.run_id = run.id
     LEFT JOIN LATERAL (
       SELECT temporal_run_id, version, progressed_at FROM event_streams WHERE run_id = run.id
       ORDER BY sequence_base DESC, stream_key DESC LIMIT 1
     ) link ON true
     WHERE run.shard = ANY($1) AND run.closed_at IS NULL
       AND coalesce(admission.state NOT IN ('WAITING', 'DROPPED'), true)
       AND coalesce(link.progressed_at, run.created_at) < now() - $2 * interval '1 millisecond'
       AND coalesce(run_checks.checked_at, '-infinity') < now() - $2 * interval '1 millisecond'
     ORDER BY run_checks.checked_at NULLS FIRST, run.created_at LIMIT $3`,
    [shards, quietMs, limit],
  );
  return rows;
}

export type Orphan = { runId: RunId; tenantId: string };

/** Open runs whose parent is closed: nobody waits for them any more. */
export async function orphanedRuns(pool: pg.Pool, shards: readonly number[], limit: number): Promise<Orphan[]> {
  const { rows } = await pool.query<{ id: string; tenantId: string }>(
    `SELECT run.id, run.tenant_id AS "tenantId" FROM runs run JOIN runs parent ON parent.id = run.parent_run_id
     WHERE run.shard = ANY($1) AND run.closed_at IS NULL AND parent.closed_at IS NOT NULL
     ORDER BY parent.closed_at LIMIT $2`,
    [shards, limit],
  );
  return rows.map(({ id, tenantId: tenant }) => ({ runId: runId(id), tenantId: tenant }));
}

export async function markChecked(pool: pg.Pool, runIds: readonly string[]): Promise<void> {
  await pool.query(
    `INSERT INTO run_checks (run_id, checked_at) SELECT id, now() FROM unnest($1::text[]) AS id ORDER BY id
     ON CONFLICT (run_id) DO UPDATE SET checked_at = excluded.checked_at`,
    [runIds],
  );
}

export type RunLink = { runId: string; temporalRunId: string; closedAt: Date | null };

/**
 * Those of the given links that the store lacks the end of, or all of, although the run is ours. A missing link that closed
 * before the last event we have is one that a reset replaced, and stays out.
 */
export async function unknownLinks(
  pool: pg.Pool,
  shards: readonly number[],
  links: readonly RunLink[],
): Promise<Omit<RunLink, 'closedAt'>[]> {
  const { rows } = await pool.query<Omit<RunLink, 'closedAt'>>(
    `SELECT given."runId", given."temporalRunId"
     FROM unnest($2::text[], $3::text[], $4::timestamptz[]) AS given("runId", "temporalRunId", closed_at)
     JOIN runs ON runs.id = given."runId" AND runs.shard = ANY($1)
     LEFT JOIN event_streams stream ON stream.run_id = runs.id AND stream.temporal_run_id = given."temporalRunId"
     LEFT JOIN event_streams latest ON latest.run_id = runs.id AND latest.temporal_run_id = runs.temporal_run_id
     LEFT JOIN events last ON last.stream_key = latest.stream_key AND last.version = latest.version
     WHERE CASE
       WHEN latest.stream_key IS NULL THEN true
       WHEN stream.stream_key IS NULL THEN given.closed_at IS NULL OR given.closed_at > last.occurred_at
       ELSE given.closed_at IS NOT NULL AND NOT stream.closed AND stream.stream_key = latest.stream_key
     END`,
    [
      shards,
      links.map((link) => link.runId),
      links.map((link) => link.temporalRunId),
      links.map((link) => link.closedAt),
    ],
  );
  return rows;
}

/** Those of the given ids, of these shards, that the store has never had a run with. */
export async function unknownRuns(pool: pg.Pool, shards: readonly number[], ids: readonly string[]): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `SELECT DISTINCT given.id FROM unnest($2::text[]) AS given(id) WHERE hashtext(given.id) & 15 = ANY($1)
       AND NOT EXISTS (SELECT FROM runs WHERE runs.id = given.id)
       AND NOT EXISTS (SELECT FROM event_streams WHERE run_id = given.id)`,
    [shards, ids],
  );
  return rows.map(({ id }) => id);
}

export async function readUnstartedRun(pool: pg.Pool, run: UncheckedRun): Promise<RunRecord | undefined> {
  return readRun(pool, tenantId(run.tenantId), runId(run.runId));
}
