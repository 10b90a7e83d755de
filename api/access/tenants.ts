import {
  insertTenant,
  listTenants as list,
  readTenant as read,
  setTenantQuotas as setQuotas,
  setTenantState,
  type TenantQuotas,
} from '../../adapters/postgres/tenant-store.ts';
import { recordedChange } from '../../adapters/postgres/record-events.ts';
import type { Tenant, TenantState } from '../../domain/access/account.ts';
import { AppError } from '../../domain/errors.ts';
import { DEFAULT_TENANT, tenantId } from '../../domain/identifiers.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import { createUser, type WithPassword } from './accounts.ts';
import { accessEvent } from './audit.ts';
import type { AccessDeps } from './deps.ts';
import type { Principal } from './principal.ts';

export type NewTenant = { id: string; name?: string | null; admin: string } & Quotas;
type Quotas = { [Name in keyof TenantQuotas]?: number | null };

const ID = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** With its first admin. An id that was erased is never given again. @throws INPUT_INVALID, ID_TAKEN */
export async function createTenant(
  deps: AccessDeps,
  principal: Principal,
  { id, name, admin, ...quotas }: NewTenant,
): Promise<{ tenant: Tenant; admin: WithPassword }> {
  if (!ID.test(id)) throw argumentInvalid('id', 'may have 1 to 63 of a-z, 0-9 and -');
  const fresh = { tenantId: tenantId(id), name: name ?? id, ...checkQuotas(quotas) };
  const tenant = await recordedChange(deps.pool, DEFAULT_TENANT, async (client) => {
    const result = await insertTenant(client, fresh);
    return { result, events: [accessEvent('access.tenant_created', principal, id)] };
  });
  const inside: Principal = { ...principal, tenantId: tenant.tenantId };
  return { tenant, admin: await createUser(deps, inside, { name: admin, roles: ['admin'] }) };
}

/** Null is unlimited. @throws NOT_FOUND, INPUT_INVALID */
export async function setTenantQuotas(
  deps: AccessDeps,
  principal: Principal,
  { id, ...quotas }: { id: string } & Quotas,
): Promise<Tenant> {
  const checked = checkQuotas(quotas);
  return recordedChange(deps.pool, DEFAULT_TENANT, async (client) => {
    const result = await setQuotas(client, tenantId(id), checked);
    if (!result) throw new AppError('NOT_FOUND', { what: 'tenant', id });
    return { result, events: [accessEvent('access.tenant_changed', principal, id, { detail: checked })] };
  });
}

/** Nobody of it gets in any more; its runs go on. @throws NOT_FOUND, ACCESS_DENIED */
export async function suspendTenant(
  deps: AccessDeps,
  principal: Principal,
  { id, reason = null }: { id: string; reason?: string | null | undefined },
): Promise<Tenant> {
  return setState(deps, principal, id, 'SUSPENDED', reason);
}

/** @throws NOT_FOUND */
export async function resumeTenant(deps: AccessDeps, principal: Principal, id: string): Promise<Tenant> {
  return setState(deps, principal, id, 'ACTIVE', null);
}

/**
 * Makes the values of its runs unreadable for good and deletes its accounts; the id stays taken. It has to be suspended before.
 * @throws NOT_FOUND, INPUT_INVALID while a run of it is open
 */
export async function eraseTenant(
  deps: AccessDeps,
  eraseValues: (inside: Principal) => Promise<unknown>,
  principal: Principal,
  id: string,
): Promise<Tenant> {
  const tenant = await readTenant(deps, id);
  if (!tenant || tenant.state === 'ERASED') throw new AppError('NOT_FOUND', { what: 'tenant', id });
  if (tenant.state !== 'SUSPENDED') throw argumentInvalid('id', 'is the id of a tenant that is not suspended');
  await eraseValues({ ...principal, tenantId: tenant.tenantId });
  return recordedChange(deps.pool, DEFAULT_TENANT, async (client) => {
    await client.query('DELETE FROM users WHERE tenant_id = $1', [id]);
    await client.query('DELETE FROM webhooks WHERE tenant_id = $1', [id]);
    const result = await setTenantState(client, tenant.tenantId, 'ERASED', null);
    if (!result) throw new AppError('NOT_FOUND', { what: 'tenant', id });
    return { result, events: [accessEvent('access.tenant_deleted', principal, id)] };
  });
}

async function setState(
  deps: AccessDeps,
  principal: Principal,
  id: string,
  state: Exclude<TenantState, 'ERASED'>,
  reason: string | null,
): Promise<Tenant> {
  if (id === principal.tenantId) {
    throw new AppError('ACCESS_DENIED', { what: 'your own tenant', detail: 'it would shut you out' });
  }
  const type = state === 'ACTIVE' ? 'access.tenant_resumed' : 'access.tenant_suspended';
  return recordedChange(deps.pool, DEFAULT_TENANT, async (client) => {
    const result = await setTenantState(client, tenantId(id), state, reason);
    if (!result) throw new AppError('NOT_FOUND', { what: 'tenant', id });
    return { result, events: [accessEvent(type, principal, id, { detail: { reason } })] };
  });
}

export async function readTenant(deps: AccessDeps, id: string): Promise<Tenant | undefined> {
  return id.includes('\0') ? undefined : read(deps.pool, tenantId(id));
}

export const listTenants = (deps: AccessDeps): Promise<Tenant[]> => list(deps.pool);

function checkQuotas({ runsADay = null, concurrentRuns = null, storageBytes = null }: Quotas): TenantQuotas {
  for (const [name, value] of Object.entries({ runsADay, concurrentRuns, storageBytes })) {
    if (value !== null && !(Number.isSafeInteger(value) && value >= 0)) {
      throw argumentInvalid(name, 'must be a whole number, 0 or more');
    }
  }
  return { runsADay, concurrentRuns, storageBytes };
}
