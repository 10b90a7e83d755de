import { readTenant } from '../../adapters/postgres/tenant-store.ts';
import { hasOpenRuns, storageBytes, takeRunOfToday } from '../../adapters/postgres/tenant-usage.ts';
import type { Tenant } from '../../domain/access/account.ts';
import { AppError } from '../../domain/errors.ts';
import type { TenantId } from '../../domain/identifiers.ts';
import type { RunsDeps } from './deps.ts';

type Deps = Pick<RunsDeps, 'pool' | 'validators'>;
type Kept = { tenant?: Promise<Tenant | undefined>; readAt: number; bytes?: Promise<number>; measuredAt: number };

/** How long a changed quota may take to count. */
const READ_MS = 5_000;
/** Measuring reads everything, so it is not done for each run. */
const MEASURED_MS = 60_000;
/** Of this process, whichever connections are used. */
const known = new WeakMap<object, Map<string, Kept>>();

/** Whether the tenant may begin another run; counts it when it may. @throws QUOTA_EXCEEDED */
export async function checkQuotas(deps: Deps, tenant: TenantId): Promise<void> {
  const kept = keptOf(deps, tenant);
  if (!kept.tenant || Date.now() - kept.readAt > READ_MS) {
    kept.tenant = readTenant(deps.pool, tenant);
    kept.readAt = Date.now();
    kept.tenant.catch(() => delete kept.tenant);
  }
  const quotas = await kept.tenant;
  if (!quotas) return;
  const { runsADay, concurrentRuns, storageBytes: bytes } = quotas;
  if (concurrentRuns !== null && (await hasOpenRuns(deps.pool, tenant, concurrentRuns))) {
    throw exceeded(`${concurrentRuns} runs at once`);
  }
  if (bytes !== null && (await measure(deps, kept, tenant)) >= bytes) throw exceeded(`${bytes} bytes of data`);
  if (runsADay !== null && !(await takeRunOfToday(deps.pool, tenant, runsADay))) {
    throw exceeded(`${runsADay} runs a day (UTC)`);
  }
}

function measure(deps: Deps, kept: Kept, tenant: TenantId): Promise<number> {
  if (!kept.bytes || Date.now() - kept.measuredAt > MEASURED_MS) {
    kept.bytes = storageBytes(deps.pool, tenant);
    kept.measuredAt = Date.now();
    kept.bytes.catch(() => delete kept.bytes);
  }
  return kept.bytes;
}

function keptOf({ validators }: Deps, tenant: string): Kept {
  const tenants = known.get(validators) ?? new Map<string, Kept>();
  known.set(validators, tenants);
  const kept = tenants.get(tenant) ?? { readAt: 0, measuredAt: 0 };
  tenants.set(tenant, kept);
  return kept;
}

const exceeded = (detail: string): AppError => new AppError('QUOTA_EXCEEDED', { detail });
