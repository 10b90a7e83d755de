import { PERMISSIONS, type Permission } from '../../domain/access/permission.ts';
import { DEFAULT_TENANT, type TenantId } from '../../domain/identifiers.ts';

/** On whose behalf an operation runs. */
export type Principal = {
  tenantId: TenantId;
  /** Who it is, as kept with decisions; null where nobody signed in. */
  subject: string | null;
  /** What it may do besides; worker pools can be kept for some. */
  roles?: readonly string[];
  /** What the doors let through; without it nothing. */
  permissions?: readonly Permission[];
};

/** Where nobody has to sign in, whoever asks may do everything. */
export const LOCAL_PRINCIPAL: Principal = { tenantId: DEFAULT_TENANT, subject: null, permissions: PERMISSIONS };
