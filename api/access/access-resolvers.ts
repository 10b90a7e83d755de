import type { Account, ApiKey, Tenant } from '../../domain/access/account.ts';
import {
  createServiceAccount,
  createUser,
  deleteUser,
  listUsers,
  type NewUser,
  readUser,
  resetPassword,
  revokeSessions,
  updateUser,
  type UserChange,
} from './accounts.ts';
import { createApiKey, listApiKeys, type NewKey, revokeApiKey } from './api-keys.ts';
import type { AccessDeps } from './deps.ts';
import { changePassword } from './passwords.ts';
import type { Principal } from './principal.ts';
import { logIn, logOut, refresh, type SignIn } from './sign-in.ts';
import {
  createTenant,
  eraseTenant,
  listTenants,
  type NewTenant,
  readTenant,
  resumeTenant,
  setTenantQuotas,
  suspendTenant,
} from './tenants.ts';

type Context = { principal: Principal };
type Reference = { id: string };
type Page = { first?: number | null; after?: string | null };

export function accessResolvers(deps: AccessDeps, eraseValues: (inside: Principal) => Promise<unknown>) {
  return {
    Query: {
      me: (_: unknown, __: unknown, { principal }: Context) => principal,
      user: (_: unknown, { id }: Reference, { principal }: Context) => readUser(deps, principal, id),
      users: (_: unknown, page: Page, { principal }: Context) => listUsers(deps, principal, page),
      apiKeys: (_: unknown, { userId }: { userId?: string | null }, { principal }: Context) =>
        listApiKeys(deps, principal, userId),
      tenant: (_: unknown, { id }: Reference) => readTenant(deps, id),
      tenants: () => listTenants(deps),
    },
    Mutation: {
      logIn: (_: unknown, request: SignIn, { principal }: Context) => logIn(deps, request, principal.address ?? null),
      refreshTokens: (_: unknown, { refreshToken }: { refreshToken: string }, { principal }: Context) =>
        refresh(deps, refreshToken, principal.address ?? null),
      logOut: (_: unknown, __: unknown, { principal }: Context) => logOut(deps, principal),
      changePassword: (_: unknown, request: { current: string; next: string }, { principal }: Context) =>
        changePassword(deps, principal, request),
      createUser: (_: unknown, request: NewUser, { principal }: Context) => createUser(deps, principal, request),
      createServiceAccount: (_: unknown, request: NewUser, { principal }: Context) =>
        createServiceAccount(deps, principal, request),
      updateUser: (_: unknown, request: UserChange, { principal }: Context) => updateUser(deps, principal, request),
      resetPassword: (_: unknown, { id }: Reference, { principal }: Context) => resetPassword(deps, principal, id),
      revokeSessions: (_: unknown, { id }: Reference, { principal }: Context) => revokeSessions(deps, principal, id),
      deleteUser: (_: unknown, { id }: Reference, { principal }: Context) => deleteUser(deps, principal, id),
      createApiKey: (_: unknown, request: NewKey, { principal }: Context) => createApiKey(deps, principal, request),
      revokeApiKey: (_: unknown, { id }: Reference, { principal }: Context) => revokeApiKey(deps, principal, id),
      createTenant: (_: unknown, request: NewTenant, { principal }: Context) => createTenant(deps, principal, request),
      setTenantQuotas: (_: unknown, request: Parameters<typeof setTenantQuotas>[2], { principal }: Context) =>
        setTenantQuotas(deps, principal, request),
      suspendTenant: (_: unknown, request: { id: string; reason?: string | null }, { principal }: Context) =>
        suspendTenant(deps, principal, request),
      eraseTenant: (_: unknown, { id }: Reference, { principal }: Context) =>
        eraseTenant(deps, eraseValues, principal, id),
      resumeTenant: (_: unknown, { id }: Reference, { principal }: Context) => resumeTenant(deps, principal, id),
    },
    types: {
      Caller: {
        name: ({ subject }: Principal) => subject,
        roles: ({ roles = [] }: Principal) => roles,
        permissions: ({ permissions = [] }: Principal) => permissions,
        mustChangePassword: ({ mustChangePassword = false }: Principal) => mustChangePassword,
      },
      User: {
        apiKeys: (user: Account, _: unknown, { principal }: Context): Promise<ApiKey[]> =>
          listApiKeys(deps, principal, user.id),
      },
      Tenant: { id: ({ tenantId }: Tenant) => tenantId },
    },
  };
}
