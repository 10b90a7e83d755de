import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import { tenantId, workflowId, type TenantId } from '../../domain/identifiers.ts';
import type { Mapping } from '../../domain/runs/definition.ts';
import type { WebhookRecord, WebhookSecret } from '../../domain/runs/triggers/webhook.ts';
import type { Queryable } from './payload-store.ts';
import { newestPage, type NewestListing, type NewestPage } from './newest-page.ts';

type Row = {
  id: string;
  tenant_id: string;
  name: string;
  workflow_id: string;
  version: number | null;
  mapping: Mapping | null;
  secrets: WebhookSecret[];
  enabled: boolean;
  created_at: Date;
  updated_at: Date;
};

export type NewWebhook = Omit<WebhookRecord, 'createdAt' | 'updatedAt'>;

/** @throws AppError ID_TAKEN */
export async function insertWebhook(pool: Queryable, webhook: NewWebhook): Promise<WebhookRecord> {
  const { rows } = await pool.query<Row>(
    `INSERT INTO webhooks (id, tenant_id, name, workflow_id, version, mapping, secrets, enabled)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING *`,
    values(webhook),
  );
  if (!rows[0]) throw new AppError('ID_TAKEN', { what: 'webhook', id: webhook.id });
  return fromRow(rows[0]);
}

/** Changes it as `change` says, one at a time, in the caller's transaction. Undefined when there is none. */
export async function updateWebhook(
  client: pg.PoolClient,
  tenant: TenantId,
  id: string,
  change: (webhook: WebhookRecord) => NewWebhook,
): Promise<WebhookRecord | undefined> {
  const locked = await client.query<Row>('SELECT * FROM webhooks WHERE id = $1 AND tenant_id = $2 FOR UPDATE', [
    id,
    tenant,
  ]);
  if (!locked.rows[0]) return undefined;
  const { rows } = await client.query<Row>(
    `UPDATE webhooks SET name = $3, workflow_id = $4, version = $5, mapping = $6, secrets = $7, enabled = $8,
            updated_at = date_trunc('milliseconds', now())
     WHERE id = $1 AND tenant_id = $2 RETURNING *`,
    values(change(fromRow(locked.rows[0]))),
  );
  return fromRow(rows[0] as Row);
}

function values(webhook: NewWebhook): unknown[] {
  return [
    webhook.id,
    webhook.tenantId,
    webhook.name,
    webhook.workflowId,
    webhook.version,
    webhook.mapping === null ? null : JSON.stringify(webhook.mapping),
    JSON.stringify(webhook.secrets),
    webhook.enabled,
  ];
}

/** Of any tenant: whoever calls an address has not signed in. */
export async function readWebhookAtDoor(pool: pg.Pool, id: string): Promise<WebhookRecord | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM webhooks WHERE id = $1', [id]);
  return rows[0] && fromRow(rows[0]);
}

export async function readWebhook(pool: pg.Pool, tenant: TenantId, id: string): Promise<WebhookRecord | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM webhooks WHERE id = $1 AND tenant_id = $2', [id, tenant]);
  return rows[0] && fromRow(rows[0]);
}

/** Newest first. */
export async function listWebhooks(
  pool: pg.Pool,
  listing: NewestListing & { tenantId: TenantId; workflowId?: string | undefined },
): Promise<NewestPage<WebhookRecord>> {
  const { tenantId, workflowId } = listing;
  const page = await newestPage<Row>(pool, 'webhooks', { tenant_id: tenantId, workflow_id: workflowId }, listing);
  return { ...page, rows: page.rows.map(fromRow) };
}

export async function deleteWebhook(pool: Queryable, tenant: TenantId, id: string): Promise<boolean> {
  const { rowCount } = await pool.query('DELETE FROM webhooks WHERE id = $1 AND tenant_id = $2', [id, tenant]);
  return rowCount === 1;
}

function fromRow(row: Row): WebhookRecord {
  return {
    id: row.id,
    tenantId: tenantId(row.tenant_id),
    name: row.name,
    workflowId: workflowId(row.workflow_id),
    version: row.version,
    mapping: row.mapping,
    secrets: row.secrets,
    enabled: row.enabled,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}
