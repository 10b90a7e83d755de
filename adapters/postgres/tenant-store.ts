import type pg from 'pg';
import type { Tenant, TenantState } from '../../domain/access/account.ts';
import { AppError } from '../../domain/errors.ts';
import { tenantId, type TenantId } from '../../domain/identifiers.ts';

type Row = {
  tenant_id: string;
  name: string;
  state: TenantState;
  state_reason: string | null;
  runs_a_day: number | null;
  concurrent_runs: number | null;
  storage_bytes: bigint | null;
  created_at: Date;
  changed_at: Date;
};
export type TenantQuotas = Pick<Tenant, 'runsADay' | 'concurrentRuns' | 'storageBytes'>;

/** @throws ID_TAKEN, also for one that was erased */
export async function insertTenant(
  client: pg.ClientBase,
  tenant: Pick<Tenant, 'tenantId' | 'name'> & TenantQuotas,
): Promise<Tenant> {
  const { rows } = await client.query<Row>(
    `INSERT INTO tenants (tenant_id, name, runs_a_day, concurrent_runs, storage_bytes) VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT DO NOTHING RETURNING *`,
    [tenant.tenantId, tenant.name, tenant.runsADay, tenant.concurrentRuns, tenant.storageBytes],
  );
  if (!rows[0]) throw new AppError('ID_TAKEN', { what: 'tenant', id: tenant.tenantId });
  return fromRow(rows[0]);
}

export async function readTenant(client: pg.ClientBase | pg.Pool, id: TenantId): Promise<Tenant | undefined> {
  const { rows } = await client.query<Row>({
    name: 'read-tenant',
    text: 'SELECT * FROM tenants WHERE tenant_id = $1',
    values: [id],
  });
  return rows[0] && fromRow(rows[0]);
}

export async function listTenants(pool: pg.Pool): Promise<Tenant[]> {
  const { rows } = await pool.query<Row>('SELECT * FROM tenants ORDER BY tenant_id LIMIT 10000');
  return rows.map(fromRow);
}

/** Undefined when there is none that is not erased. */
export async function setTenantState(
  client: pg.ClientBase,
  id: TenantId,
  state: TenantState,
  reason: string | null,
): Promise<Tenant | undefined> {
  const { rows } = await client.query<Row>(
    `UPDATE tenants SET state = $2, state_reason = $3, changed_at = date_trunc('milliseconds', now())
     WHERE tenant_id = $1 AND state <> 'ERASED' RETURNING *`,
    [id, state, reason],
  );
  return rows[0] && fromRow(rows[0]);
}

export async function setTenantQuotas(
  client: pg.ClientBase,
  id: TenantId,
  quotas: TenantQuotas,
): Promise<Tenant | undefined> {
  const { rows } = await client.query<Row>(
    `UPDATE tenants SET runs_a_day = $2, concurrent_runs = $3, storage_bytes = $4,
            changed_at = date_trunc('milliseconds', now())
     WHERE tenant_id = $1 AND state <> 'ERASED' RETURNING *`,
    [id, quotas.runsADay, quotas.concurrentRuns, quotas.storageBytes],
  );
  return rows[0] && fromRow(rows[0]);
}

const fromRow = (row: Row): Tenant => ({
  tenantId: tenantId(row.tenant_id),
  name: row.name,
  state: row.state,
  stateReason: row.state_reason,
  runsADay: row.runs_a_day,
  concurrentRuns: row.concurrent_runs,
  storageBytes: row.storage_bytes === null ? null : Number(row.storage_bytes),
  createdAt: row.created_at,
  changedAt: row.changed_at,
});
