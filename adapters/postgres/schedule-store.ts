import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import { tenantId, workflowId, type TenantId } from '../../domain/identifiers.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import type { Json } from '../../domain/json.ts';
import type { Mapping } from '../../domain/runs/definition.ts';
import type { OpenScheduleAct, ScheduleRecord } from '../../domain/runs/triggers/schedule.ts';
import type { OverlapPolicy, ScheduleSpec } from '../../domain/runs/triggers/schedule-spec.ts';
import type { Queryable } from './payload-store.ts';
import { newestPage, type NewestListing, type NewestPage } from './newest-page.ts';
import { recordWithin } from './record-events.ts';
import { inTransaction } from './transaction.ts';

type Row = {
  tenant_id: string;
  id: string;
  workflow_id: string;
  version: number | null;
  name: string;
  input: Json;
  mapping: Mapping | null;
  spec: ScheduleSpec;
  overlap: OverlapPolicy;
  catchup_window_ms: bigint;
  pause_on_failure: boolean;
  starts_paused: boolean;
  start_note: string | null;
  revision: number;
  synced_revision: number;
  deleted_at: Date | null;
  created_at: Date;
  updated_at: Date;
};

export type ScheduleKey = Pick<ScheduleRecord, 'tenantId' | 'id'>;
export type ScheduleStart = { paused: boolean; note: string | null };
type Wanted = Omit<ScheduleRecord, 'revision' | 'createdAt' | 'updatedAt'>;

/** @throws AppError ID_TAKEN */
export async function insertSchedule(pool: Queryable, wanted: Wanted, start: ScheduleStart): Promise<ScheduleRecord> {
  const { rows } = await pool.query<Row>(
    `INSERT INTO schedules (tenant_id, id, workflow_id, version, name, input, mapping, spec, overlap, catchup_window_ms,
                            pause_on_failure, starts_paused, start_note)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT DO NOTHING RETURNING *`,
    [...values(wanted), start.paused, start.note],
  );
  if (!rows[0]) throw new AppError('ID_TAKEN', { what: 'schedule', id: wanted.id });
  return fromRow(rows[0]);
}

/** Undefined when there is none. */
export async function updateSchedule(pool: Queryable, wanted: Wanted): Promise<ScheduleRecord | undefined> {
  const { rows } = await pool.query<Row>(
    `UPDATE schedules SET workflow_id = $3, version = $4, name = $5, input = $6, mapping = $7, spec = $8, overlap = $9,
            catchup_window_ms = $10, pause_on_failure = $11, revision = revision + 1,
            updated_at = date_trunc('milliseconds', now())
     WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL RETURNING *`,
    values(wanted),
  );
  return rows[0] && fromRow(rows[0]);
}

function values(wanted: Wanted): unknown[] {
  return [
    wanted.tenantId,
    wanted.id,
    wanted.workflowId,
    wanted.version,
    wanted.name,
    JSON.stringify(wanted.input),
    wanted.mapping === null ? null : JSON.stringify(wanted.mapping),
    JSON.stringify(wanted.spec),
    wanted.overlap,
    wanted.catchupWindowMs,
    wanted.pauseOnFailure,
  ];
}

export async function readSchedule(
  pool: Queryable,
  { tenantId, id }: ScheduleKey,
): Promise<ScheduleRecord | undefined> {
  const { rows } = await pool.query<Row>(
    'SELECT * FROM schedules WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL',
    [tenantId, id],
  );
  return rows[0] && fromRow(rows[0]);
}

/** Newest first. */
export async function listSchedules(
  pool: pg.Pool,
  listing: NewestListing & { tenantId: TenantId; workflowId?: string | undefined },
): Promise<NewestPage<ScheduleRecord>> {
  const { tenantId, workflowId } = listing;
  const filters = { tenant_id: tenantId, workflow_id: workflowId };
  const page = await newestPage<Row>(pool, 'schedules', filters, listing, 'deleted_at IS NULL');
  return { ...page, rows: page.rows.map(fromRow) };
}

/** Temporal's schedule goes with the next synchronization. False when there is none. */
export async function markScheduleDeleted(pool: Queryable, { tenantId, id }: ScheduleKey): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE schedules SET deleted_at = now(), revision = revision + 1
     WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [tenantId, id],
  );
  return rowCount === 1;
}

/** Schedules that Temporal does not know as they are wanted or to which something is to be done, and that nobody has tried to tell it for `quietMs`. */
export async function unsyncedSchedules(pool: pg.Pool, quietMs: number): Promise<ScheduleKey[]> {
  const { rows } = await pool.query<{ tenant_id: string; id: string }>(
    `SELECT tenant_id, id FROM schedules
     WHERE (synced_revision < revision OR open_acts <> '[]') AND tried_at <= now() - $1 * interval '1 millisecond' LIMIT 100`,
    [quietMs],
  );
  return rows.map((row) => ({ tenantId: tenantId(row.tenant_id), id: row.id }));
}

/**
 * Has `tell` bring Temporal to what the row wants (null: away with it) and notes that it did. The row stays locked meanwhile, so
 * that an older wish never comes after a newer one.
 */
export async function syncSchedule(
  pool: pg.Pool,
  { tenantId, id }: ScheduleKey,
  tell: (wanted: ScheduleRecord | null, start: ScheduleStart) => Promise<void>,
): Promise<void> {
  await pool.query('UPDATE schedules SET tried_at = now() WHERE tenant_id = $1 AND id = $2', [tenantId, id]);
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<Row>('SELECT * FROM schedules WHERE tenant_id = $1 AND id = $2 FOR UPDATE', [
      tenantId,
      id,
    ]);
    const row = rows[0];
    if (!row || row.synced_revision === row.revision) return;
    await tell(row.deleted_at ? null : fromRow(row), { paused: row.starts_paused, note: row.start_note });
    const done = row.deleted_at ? 'DELETE FROM schedules' : 'UPDATE schedules SET synced_revision = revision';
    await client.query(`${done} WHERE tenant_id = $1 AND id = $2`, [tenantId, id]);
  });
}

/** False when there is no such schedule. */
export async function noteScheduleAct(
  pool: Queryable,
  { tenantId, id }: ScheduleKey,
  open: OpenScheduleAct,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `UPDATE schedules SET open_acts = open_acts || $3::jsonb, tried_at = now()
     WHERE tenant_id = $1 AND id = $2 AND deleted_at IS NULL`,
    [tenantId, id, JSON.stringify([open])],
  );
  return rowCount === 1;
}

/**
 * Has `act` do what is open, in order, and records the events that it gives. The row stays locked meanwhile; what ends in between is
 * done again, so that nothing is done without its event.
 */
export async function finishScheduleActs(
  pool: pg.Pool,
  { tenantId, id }: ScheduleKey,
  act: (open: OpenScheduleAct) => Promise<SystemEvent | null>,
): Promise<void> {
  const waiting = await pool.query(
    `UPDATE schedules SET tried_at = now() WHERE tenant_id = $1 AND id = $2 AND open_acts <> '[]'`,
    [tenantId, id],
  );
  if (waiting.rowCount === 0) return;
  await inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ open_acts: OpenScheduleAct[] }>(
      'SELECT open_acts FROM schedules WHERE tenant_id = $1 AND id = $2 FOR UPDATE',
      [tenantId, id],
    );
    const events: SystemEvent[] = [];
    for (const open of rows[0]?.open_acts ?? []) {
      const event = await act(open);
      if (event !== null) events.push(event);
    }
    await client.query(`UPDATE schedules SET open_acts = '[]' WHERE tenant_id = $1 AND id = $2`, [tenantId, id]);
    await recordWithin(client, tenantId, events);
  });
}

function fromRow(row: Row): ScheduleRecord {
  return {
    id: row.id,
    tenantId: tenantId(row.tenant_id),
    workflowId: workflowId(row.workflow_id),
    version: row.version,
    name: row.name,
    input: row.input,
    mapping: row.mapping,
    spec: row.spec,
    overlap: row.overlap,
    catchupWindowMs: Number(row.catchup_window_ms),
    pauseOnFailure: row.pause_on_failure,
    revision: row.revision,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
