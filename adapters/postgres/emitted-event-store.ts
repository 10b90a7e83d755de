import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import { tenantId, type TenantId } from '../../domain/identifiers.ts';
import type { Json } from '../../domain/json.ts';
import { canonicalJson } from '../../domain/runs/canonical-json.ts';
import type { EmittedEvent } from '../../domain/runs/triggers/event.ts';
import { columnText, readColumns, spilledValues } from './large-values.ts';
import { createPayloadStore, type Queryable } from './payload-store.ts';
import { TRIGGER_CHANNEL } from './trigger-firing-store.ts';

type Row = {
  tenant_id: string;
  id: string;
  name: string;
  correlation: string | null;
  data: Json;
  depth: number;
  run_id: string | null;
  emitted_at: Date;
  dispatched_at: Date | null;
};

export type NewEmittedEvent = Omit<EmittedEvent, 'emittedAt' | 'dispatchedAt'>;

/**
 * The same id gives the event that has it.
 * @throws AppError IDEMPOTENCY_CONFLICT when that is another event
 */
export async function insertEmittedEvent(pool: pg.Pool, event: NewEmittedEvent): Promise<EmittedEvent> {
  const spilled = spilledValues(pool);
  const data = columnText(event.data, spilled);
  await createPayloadStore(pool).put(spilled);
  const { rows } = await pool.query<Row>(
    `WITH emitted AS (
       INSERT INTO emitted_events (tenant_id, id, name, correlation, data, depth, run_id)
       VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING *
     ), told AS (SELECT pg_notify('${TRIGGER_CHANNEL}', '') FROM emitted)
     SELECT emitted.* FROM emitted, told`,
    [event.tenantId, event.id, event.name, event.correlation, data, event.depth, event.runId],
  );
  const [emitted] = await fromRows(pool, rows);
  if (emitted) return emitted;
  const earlier = await readEmittedEvent(pool, event.tenantId, event.id);
  if (earlier && content(earlier) === content(event)) return earlier;
  throw new AppError('IDEMPOTENCY_CONFLICT', { key: event.id });
}

const content = ({ name, correlation, data }: NewEmittedEvent): string => canonicalJson([name, correlation, data]);

export async function readEmittedEvent(
  pool: Queryable,
  tenant: TenantId,
  id: string,
): Promise<EmittedEvent | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM emitted_events WHERE tenant_id = $1 AND id = $2', [tenant, id]);
  return (await fromRows(pool, rows))[0];
}

/** Newest first. */
export async function listEmittedEvents(
  pool: pg.Pool,
  { tenantId, name, first }: { tenantId: TenantId; name: string | null; first: number },
): Promise<EmittedEvent[]> {
  const { rows } = await pool.query<Row>(
    `SELECT * FROM emitted_events WHERE tenant_id = $1 AND ($2::text IS NULL OR name = $2)
     ORDER BY emitted_at DESC, id DESC LIMIT $3`,
    [tenantId, name, first],
  );
  return fromRows(pool, rows);
}

/** Locks the events that nobody has handed on yet, until the caller's transaction ends. */
export async function lockUndispatchedEvents(client: pg.PoolClient, limit: number): Promise<EmittedEvent[]> {
  const { rows } = await client.query<Row>(
    `SELECT * FROM emitted_events WHERE dispatched_at IS NULL ORDER BY position LIMIT $1 FOR UPDATE SKIP LOCKED`,
    [limit],
  );
  return fromRows(client, rows);
}

export async function markDispatched(client: pg.PoolClient, event: EmittedEvent): Promise<void> {
  await client.query('UPDATE emitted_events SET dispatched_at = now() WHERE tenant_id = $1 AND id = $2', [
    event.tenantId,
    event.id,
  ]);
}

/** How long the chain of events behind a run is. What child runs emit counts as emitted by the run at the root. */
export async function eventDepthOf(pool: Queryable, runId: string): Promise<{ tenantId: TenantId; depth: number }> {
  const root = runId.split(':')[0] as string;
  const { rows } = await pool.query<{ tenant_id: string; trigger_depth: number }>(
    'SELECT tenant_id, trigger_depth FROM runs WHERE id = $1',
    [root],
  );
  if (!rows[0]) throw new AppError('NOT_FOUND', { what: 'Run', id: root });
  return { tenantId: tenantId(rows[0].tenant_id), depth: rows[0].trigger_depth };
}

/** Removes events that are handed on, with their wake-ups, when they are older than this. */
export async function forgetEmittedEvents(pool: pg.Pool, olderThanMs: number): Promise<void> {
  await pool.query(
    `WITH old AS (
       DELETE FROM emitted_events WHERE (tenant_id, id) IN (
         SELECT tenant_id, id FROM emitted_events
         WHERE emitted_at < now() - $1 * interval '1 millisecond' AND dispatched_at IS NOT NULL LIMIT 5000)
       RETURNING tenant_id, id
     ) DELETE FROM event_wakes wake USING old
       WHERE wake.tenant_id = old.tenant_id AND wake.event_id = old.id AND wake.state = 'SENT'`,
    [olderThanMs],
  );
}

async function fromRows(pool: Queryable, rows: readonly Row[]): Promise<EmittedEvent[]> {
  const data = await readColumns(
    createPayloadStore(pool),
    rows.map((row) => row.data),
  );
  return rows.map((row, index) => ({
    id: row.id,
    tenantId: tenantId(row.tenant_id),
    name: row.name,
    correlation: row.correlation,
    data: data[index] as Json,
    depth: row.depth,
    runId: row.run_id,
    emittedAt: row.emitted_at,
    dispatchedAt: row.dispatched_at,
  }));
}
