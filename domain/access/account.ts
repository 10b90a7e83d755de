import type { TenantId } from '../identifiers.ts';

export type AccountKind = 'USER' | 'SERVICE';

/** A person, or a service that signs in with keys alone. */
export type Account = {
  tenantId: TenantId;
  id: string;
  kind: AccountKind;
  name: string;
  email: string | null;
  roles: readonly string[];
  passwordHash: string | null;
  mustChangePassword: boolean;
  issuer: string | null;
  issuerSubject: string | null;
  disabled: boolean;
  createdAt: Date;
  signedInAt: Date | null;
};

export type ApiKey = {
  tenantId: TenantId;
  id: string;
  userId: string;
  name: string;
  scopes: readonly string[] | null;
  expiresAt: Date;
  revokedAt: Date | null;
  usedAt: Date | null;
  createdAt: Date;
};

export type TenantState = 'ACTIVE' | 'SUSPENDED' | 'ERASED';
export type Tenant = {
  tenantId: TenantId;
  name: string;
  state: TenantState;
  stateReason: string | null;
  runsADay: number | null;
  concurrentRuns: number | null;
  storageBytes: number | null;
  createdAt: Date;
  changedAt: Date;
};
