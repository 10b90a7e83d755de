import type pg from 'pg';
import { AppError } from '../../../domain/errors.ts';
import type { Json } from '../../../domain/json.ts';
import type { Queryable } from '../payload-store.ts';
import { IN_FEED, type Projection } from './projection.ts';

/**
 * BUILDING: for the first time, readers find nothing yet. REBUILDING: they find the old one, another is being made beside it.
 * READY: built, but no process looks after it. FAILED: an event could not be taken in and is tried again. STOPPED: by somebody.
 */
export type ProjectionState = 'BUILDING' | 'READY' | 'ACTIVE' | 'REBUILDING' | 'FAILED' | 'STOPPED';

export type ProjectionStatus = {
  name: string;
  state: ProjectionState;
  version: number;
  /** How far it has come in the tenant, and how far there is to go. */
  position: number;
  head: number;
  lagEvents: number;
  /** How long ago the first event was stored that is not taken in yet. */
  lagMs: number;
  error: { code: string; message: string; at: Date } | null;
  /** Over all tenants. */
  rebuild: { version: number; since: Date; done: number; total: number } | null;
  builtAt: Date | null;
  followedAt: Date | null;
};

/** A process that is alive says so more often than this. */
const FOLLOWED_MS = 30_000;

type Row = {
  name: string;
  version: number;
  generation: number;
  building: number | null;
  building_version: number | null;
  building_since: Date | null;
  stopped: boolean;
  error: { code: string; message: string } | null;
  failed_at: Date | null;
  built_at: Date | null;
  followed_at: Date | null;
  followed: boolean;
  position: bigint | null;
  head: bigint;
  lag_ms: number | null;
  done: bigint | null;
  total: bigint | null;
};

/** As the tenant sees them; by name. */
export async function listProjections(db: Queryable, tenantId: string): Promise<ProjectionStatus[]> {
  const { rows } = await db.query<Row>(
    `SELECT projection.name, projection.version, generation, building, building_version, building_since, stopped, error,
            failed_at, built_at, followed_at,
            coalesce(followed_at > clock_timestamp() - $3 * interval '1 ms', false) AS followed, reached.position, head.head,
            CASE WHEN reached.position < head.head THEN (
              SELECT (extract(epoch FROM clock_timestamp() - recorded_at) * 1000)::float8 FROM events event
              WHERE event.tenant_id = $1 AND event.position > reached.position ORDER BY event.position LIMIT 1
            ) END AS lag_ms,
            coalesce(built.done, projection.done) AS done, coalesce(built.total, projection.total) AS total
     FROM projections projection
     CROSS JOIN (SELECT coalesce(max(head), 0) AS head FROM tenant_heads WHERE tenant_id = $1) AS head
     CROSS JOIN LATERAL (
       SELECT CASE WHEN projection.name = $2 THEN head.head ELSE (
         SELECT min(position) FROM subscription_partitions
         WHERE tenant_id = $1 AND name = 'projection/' || projection.name || '/' || projection.generation
       ) END AS position
     ) AS reached
     LEFT JOIN LATERAL (
       SELECT sum(part.position)::bigint AS done, sum(heads.head)::bigint AS total
       FROM subscription_partitions part JOIN tenant_heads heads USING (tenant_id)
       WHERE part.name = 'projection/' || projection.name || '/' || projection.building HAVING count(*) > 0
     ) AS built ON true
     ORDER BY projection.name`,
    [tenantId, IN_FEED.name, FOLLOWED_MS],
  );
  return rows.map(statusOf);
}

function statusOf(row: Row): ProjectionStatus {
  const head = Number(row.head);
  const position = Number(row.position ?? 0n);
  const { name, version, error, failed_at: failedAt, building_version: next, building_since: since } = row;
  return {
    ...{ name, version, position, head, state: stateOf(row) },
    lagEvents: head - position,
    lagMs: Math.max(0, Math.round(row.lag_ms ?? 0)),
    error: error && failedAt ? { ...error, at: failedAt } : null,
    rebuild:
      next === null || since === null
        ? null
        : { version: next, since, done: Number(row.done ?? 0n), total: Number(row.total ?? 0n) },
    builtAt: row.built_at,
    followedAt: row.followed_at,
  };
}

function stateOf({ stopped, error, building, version, followed }: Row): ProjectionState {
  if (stopped) return 'STOPPED';
  if (error) return 'FAILED';
  if (building !== null) return version === 0 ? 'BUILDING' : 'REBUILDING';
  return followed ? 'ACTIVE' : 'READY';
}

/**
 * Makes rows for projections that have none, and begins to build those whose code makes something else than what is there. Code
 * that is older than what is there leaves it alone.
 */
export async function registerProjections(pool: pg.Pool, projections: readonly Projection[]): Promise<void> {
  const names = projections.map(({ name }) => name);
  const versions = projections.map(({ version }) => version);
  await pool.query(
    `INSERT INTO projections (name, version, generation, built_at) VALUES ($1, $2, 1, now()) ON CONFLICT DO NOTHING`,
    [IN_FEED.name, IN_FEED.version],
  );
  await pool.query(
    `INSERT INTO projections AS stored (name, building, building_version, building_since)
     SELECT name, 1, version, now() FROM unnest($1::text[], $2::int[]) AS code(name, version)
     ON CONFLICT (name) DO UPDATE
     SET building = greatest(stored.generation, coalesce(stored.building, 0)) + 1,
         building_version = excluded.building_version, building_since = now()
     WHERE excluded.building_version > greatest(stored.version, coalesce(stored.building_version, 0))`,
    [names, versions],
  );
}

/** Asks for it to be built again, beside what is there; one that is being built goes on. @throws NOT_FOUND */
export async function requestRebuild(db: Queryable, name: string): Promise<void> {
  await changed(
    db,
    name,
    `UPDATE projections SET building = coalesce(building, generation + 1),
            building_version = coalesce(building_version, version),
            building_since = coalesce(building_since, now()), error = NULL, failed_at = NULL
     WHERE name = $1`,
  );
}

/** No event is taken in until it is started again. @throws NOT_FOUND, INPUT_INVALID for the one that the feed itself writes */
export async function stopProjection(db: Queryable, name: string): Promise<void> {
  if (name === IN_FEED.name) {
    throw new AppError('INPUT_INVALID', { detail: `${name} is written with the events and cannot be stopped` });
  }
  await changed(db, name, 'UPDATE projections SET stopped = true WHERE name = $1');
}

/** A failed one is tried at once. @throws NOT_FOUND */
export async function startProjection(db: Queryable, name: string): Promise<void> {
  await changed(db, name, 'UPDATE projections SET stopped = false WHERE name = $1');
  await db.query(
    `UPDATE subscription_partitions SET due_at = '-infinity' WHERE name LIKE 'projection/' || $1 || '/%' AND failures > 0`,
    [name],
  );
}

async function changed(db: Queryable, name: string, statement: string): Promise<void> {
  const { rowCount } = await db.query(statement, [name]);
  if (rowCount === 0) throw new AppError('NOT_FOUND', { what: 'Projection', id: name });
}

export async function noteFailure(db: Queryable, name: string, error: unknown): Promise<void> {
  const { message, code } = error as { message?: string; code?: unknown };
  const told: Json = { code: typeof code === 'string' ? code : 'INTERNAL', message: message ?? String(error) };
  await db.query('UPDATE projections SET error = $2, failed_at = now() WHERE name = $1', [name, JSON.stringify(told)]);
}

export async function noteSuccess(db: Queryable, name: string): Promise<void> {
  await db.query('UPDATE projections SET error = NULL, failed_at = NULL WHERE name = $1 AND error IS NOT NULL', [name]);
}

/** Of a build that does not follow by a subscription. */
export async function noteProgress(db: Queryable, name: string, done: number, total: number): Promise<void> {
  await db.query('UPDATE projections SET done = $2, total = $3 WHERE name = $1', [name, done, total]);
}
