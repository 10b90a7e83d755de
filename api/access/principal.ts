import type { Identity } from '../../adapters/tokens/internal-token.ts';
import { PERMISSIONS, type Permission } from '../../domain/access/permission.ts';
import { DEFAULT_TENANT, tenantId, type TenantId } from '../../domain/identifiers.ts';

/** On whose behalf an operation runs. */
export type Principal = {
  tenantId: TenantId;
  /** Who it is, as kept with decisions; null where nobody signed in. */
  subject: string | null;
  /** What it may do besides; worker pools can be kept for some. */
  roles?: readonly string[];
  /** What the doors let through; without it nothing. */
  permissions?: readonly Permission[];
  kind?: Identity['kind'];
  userId?: string | null;
  sessionId?: string | null;
  keyId?: string | null;
  mustChangePassword?: boolean;
  address?: string | null;
};

/** Where nobody has to sign in, whoever asks may do everything. */
export const LOCAL_PRINCIPAL: Principal = {
  tenantId: DEFAULT_TENANT,
  subject: null,
  kind: 'OPERATOR',
  permissions: PERMISSIONS,
};

/** Who is kept with a decision: whoever has signed in, and nobody else on its behalf; the operator may name anybody. */
export function decidingSubject({ kind, subject }: Principal, claimed: string | null | undefined): string | null {
  return kind === 'USER' || kind === 'SERVICE' ? subject : (claimed ?? subject);
}

export function principalOf({ tenantId: tenant, ...identity }: Identity): Principal {
  return { ...identity, tenantId: tenantId(tenant) };
}

/** Whoever has not signed in; may do what is open to all. */
export function nobody(address: string | null): Identity {
  return {
    tenantId: DEFAULT_TENANT,
    subject: null,
    userId: null,
    kind: 'NOBODY',
    roles: [],
    permissions: [],
    sessionId: null,
    keyId: null,
    mustChangePassword: false,
    address,
  };
}
