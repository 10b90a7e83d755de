import { type Erased, eraseValues } from '../../adapters/postgres/erase-values.ts';
import { AppError } from '../../domain/errors.ts';
import { deleteHistory } from '../../temporal/delete-history.ts';
import type { Principal } from '../access/principal.ts';
import type { RunsDeps } from './deps.ts';

/** `histories`: of Temporal, deleted. */
export type Erasure = Omit<Erased, 'histories'> & { histories: number };

/** @throws INPUT_INVALID while a run of the subject is open */
export async function eraseSubject(deps: RunsDeps, principal: Principal, subject: string): Promise<Erasure> {
  if (subject === '' || subject.startsWith('erased')) {
    throw new AppError('INPUT_INVALID', { detail: 'there is no such subject', paths: [{ path: '/subject' }] });
  }
  return erase(deps, principal, subject);
}

/** The tenant's id is said once more, as nothing brings the values back. @throws INPUT_INVALID while a run is open */
export async function eraseTenantValues(deps: RunsDeps, principal: Principal, tenant: string): Promise<Erasure> {
  if (tenant !== principal.tenantId) {
    throw new AppError('INPUT_INVALID', {
      detail: `the tenant is ${principal.tenantId}`,
      paths: [{ path: '/tenant' }],
    });
  }
  return erase(deps, principal, null);
}

async function erase(deps: RunsDeps, { tenantId, subject: by }: Principal, subject: string | null): Promise<Erasure> {
  const { histories, ...erased } = await eraseValues(deps.pool, { tenantId, subject });
  let deleted = 0;
  for (const history of histories) if (await deleteHistory(deps.temporal, history)) deleted += 1;
  deps.log.info({ tenantId, by, ...erased, histories: deleted }, 'values were erased');
  return { ...erased, histories: deleted };
}
