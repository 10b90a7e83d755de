import { DEFAULT_TENANT, type TenantId } from '../../domain/identifiers.ts';

/** On whose behalf an operation runs. */
export type Principal = {
  tenantId: TenantId;
  /** Who it is, as kept with decisions; null where nobody signed in. */
  subject: string | null;
  /** What it may do besides; worker pools can be kept for some. */
  roles?: readonly string[];
};

export const LOCAL_PRINCIPAL: Principal = { tenantId: DEFAULT_TENANT, subject: null };
