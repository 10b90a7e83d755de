import type pg from 'pg';
import { tenantId, workflowId, type TenantId } from '../../domain/identifiers.ts';
import type { Mapping } from '../../domain/runs/definition.ts';
import type { EventTriggerRecord } from '../../domain/runs/triggers/event.ts';
import { newestPage, type NewestListing, type NewestPage } from './newest-page.ts';
import type { Queryable } from './payload-store.ts';

type Row = {
  id: string;
  tenant_id: string;
  name: string;
  event: string;
  filter: string | null;
  workflow_id: string;
  version: number | null;
  mapping: Mapping | null;
  enabled: boolean;
  created_at: Date;
  updated_at: Date;
};

export type NewEventTrigger = Omit<EventTriggerRecord, 'createdAt' | 'updatedAt'>;

/** Makes it, or changes the one that has its id. */
export async function putEventTrigger(pool: Queryable, trigger: NewEventTrigger): Promise<EventTriggerRecord> {
  const { rows } = await pool.query<Row>(
    `INSERT INTO event_triggers AS stored (id, tenant_id, name, event, filter, workflow_id, version, mapping, enabled)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
     ON CONFLICT (id) DO UPDATE SET name = excluded.name, event = excluded.event, filter = excluded.filter,
       workflow_id = excluded.workflow_id, version = excluded.version, mapping = excluded.mapping,
       enabled = excluded.enabled, updated_at = date_trunc('milliseconds', now())
     WHERE stored.tenant_id = excluded.tenant_id
     RETURNING *`,
    [
      trigger.id,
      trigger.tenantId,
      trigger.name,
      trigger.event,
      trigger.filter,
      trigger.workflowId,
      trigger.version,
      trigger.mapping === null ? null : JSON.stringify(trigger.mapping),
      trigger.enabled,
    ],
  );
  return fromRow(rows[0] as Row);
}

export async function readEventTrigger(
  pool: Queryable,
  tenant: TenantId,
  id: string,
): Promise<EventTriggerRecord | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM event_triggers WHERE id = $1 AND tenant_id = $2', [id, tenant]);
  return rows[0] && fromRow(rows[0]);
}

/** Those that are enabled for an event. */
export async function eventTriggersFor(
  pool: Queryable,
  tenant: TenantId,
  event: string,
): Promise<EventTriggerRecord[]> {
  const { rows } = await pool.query<Row>(
    'SELECT * FROM event_triggers WHERE tenant_id = $1 AND event = $2 AND enabled ORDER BY created_at, id',
    [tenant, event],
  );
  return rows.map(fromRow);
}

/** Newest first. */
export async function listEventTriggers(
  pool: pg.Pool,
  listing: NewestListing & { tenantId: TenantId; event?: string | undefined; workflowId?: string | undefined },
): Promise<NewestPage<EventTriggerRecord>> {
  const { tenantId, event, workflowId } = listing;
  const filters = { tenant_id: tenantId, event, workflow_id: workflowId };
  const page = await newestPage<Row>(pool, 'event_triggers', filters, listing);
  return { ...page, rows: page.rows.map(fromRow) };
}

export async function deleteEventTrigger(pool: Queryable, tenant: TenantId, id: string): Promise<boolean> {
  const { rowCount } = await pool.query('DELETE FROM event_triggers WHERE id = $1 AND tenant_id = $2', [id, tenant]);
  return rowCount === 1;
}

function fromRow(row: Row): EventTriggerRecord {
  return {
    id: row.id,
    tenantId: tenantId(row.tenant_id),
    name: row.name,
    event: row.event,
    filter: row.filter,
    workflowId: workflowId(row.workflow_id),
    version: row.version,
    mapping: row.mapping,
    enabled: row.enabled,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
