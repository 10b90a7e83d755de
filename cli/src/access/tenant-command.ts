import type { Shared, TenantOptions } from '../access-commands.ts';
import { printJson, printRows } from '../flow/print-rows.ts';
import { createGatewayClient } from '../gateway-client.ts';

type Tenant = {
  id: string;
  name: string;
  state: string;
  stateReason: string | null;
  runsADay: number | null;
  concurrentRuns: number | null;
  storageBytes: number | null;
};

const VIEW = 'id name state stateReason runsADay concurrentRuns storageBytes';
const QUOTAS = '$runsADay: Int, $concurrentRuns: Int, $storageBytes: Float';
const GIVEN = 'runsADay: $runsADay, concurrentRuns: $concurrentRuns, storageBytes: $storageBytes';

export async function createTenant(id: string, options: TenantOptions): Promise<number> {
  const { url, json, ...values } = options;
  const { createTenant: made } = await createGatewayClient(url)<{
    createTenant: { tenant: Tenant; admin: { oneTimePassword: string; user: { name: string } } };
  }>(
    `mutation ($id: ID!, $name: String, $admin: String!, ${QUOTAS}) {
      createTenant(id: $id, name: $name, admin: $admin, ${GIVEN}) { tenant { ${VIEW} } admin { oneTimePassword user { name } } }
    }`,
    { id, ...values },
  );
  if (json)
    printJson({ ...made.tenant, admin: { name: made.admin.user.name, oneTimePassword: made.admin.oneTimePassword } });
  else {
    printRows([
      ...rows(made.tenant),
      ['admin', made.admin.user.name],
      ['password', `${made.admin.oneTimePassword}  (for one sign-in; not shown again)`],
    ]);
  }
  return 0;
}

export async function listTenants({ url, json }: Shared): Promise<number> {
  const { tenants } = await createGatewayClient(url)<{ tenants: Tenant[] }>(`{ tenants { ${VIEW} } }`);
  if (json) printJson(tenants);
  else printRows(tenants.map((tenant) => [tenant.id, tenant.name, tenant.state, tenant.stateReason ?? '']));
  return 0;
}

export function setQuotas(id: string, options: TenantOptions): Promise<number> {
  return change(id, `$id: ID!, ${QUOTAS}`, `setTenantQuotas(id: $id, ${GIVEN})`, options);
}

export function suspendTenant(id: string, options: TenantOptions): Promise<number> {
  return change(id, '$id: ID!, $reason: String', 'suspendTenant(id: $id, reason: $reason)', options);
}

export function resumeTenant(id: string, options: TenantOptions): Promise<number> {
  return change(id, '$id: ID!', 'resumeTenant(id: $id)', options);
}

async function change(id: string, declared: string, call: string, options: TenantOptions): Promise<number> {
  const { url, json, name: _, admin: __, ...values } = options;
  const query = `mutation (${declared}) { tenant: ${call} { ${VIEW} } }`;
  const { tenant } = await createGatewayClient(url)<{ tenant: Tenant }>(query, { id, ...values });
  if (json) printJson(tenant);
  else printRows(rows(tenant));
  return 0;
}

function rows(tenant: Tenant): string[][] {
  const quota = (value: number | null) => (value === null ? 'unlimited' : String(value));
  return [
    ['tenant', tenant.id],
    ['name', tenant.name],
    ['state', tenant.stateReason ? `${tenant.state}: ${tenant.stateReason}` : tenant.state],
    ['runs a day', quota(tenant.runsADay)],
    ['runs at once', quota(tenant.concurrentRuns)],
    ['bytes', quota(tenant.storageBytes)],
  ];
}
