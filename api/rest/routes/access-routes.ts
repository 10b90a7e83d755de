import { z } from 'zod';
import { PERMISSIONS } from '../../../domain/access/permission.ts';
import { ROLES } from '../../../domain/access/roles.ts';
import type { RestRoute } from '../rest-route.ts';
import { KEY, PAGE, page, TENANT, text, TOKENS, USER } from './views.ts';

const quotas = {
  runsADay: z.int32().min(0).optional(),
  concurrentRuns: z.int32().min(0).optional(),
  storageBytes: z.int().min(0).optional(),
};
const QUOTAS = '$runsADay: Int, $concurrentRuns: Int, $storageBytes: Float';
const GIVEN = 'runsADay: $runsADay, concurrentRuns: $concurrentRuns, storageBytes: $storageBytes';
/** As the accounts and tenants themselves check. */
const userName = text(64).regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/);
const email = text(254).regex(/^[^\s@]{1,64}@[^\s@]{1,189}$/);
const tenantName = text(63).regex(/^[a-z0-9][a-z0-9-]{0,62}$/);
const roles = z.array(z.enum(ROLES)).max(ROLES.length);

export const ACCESS_ROUTES: readonly RestRoute[] = [
  {
    method: 'post',
    path: '/login',
    operation: 'logIn',
    summary: 'Sign in.',
    body: z.strictObject({ username: text(64), password: text(128), tenant: text(63).optional() }),
    document: `mutation ($username: String!, $password: String!, $tenant: ID) {
      logIn(username: $username, password: $password, tenant: $tenant) { ${TOKENS} }
    }`,
  },
  {
    method: 'post',
    path: '/refresh',
    operation: 'refreshTokens',
    summary: 'New tokens for a refresh token, which serves once.',
    body: z.strictObject({ refreshToken: text(200) }),
    document: `mutation ($refreshToken: String!) { refreshTokens(refreshToken: $refreshToken) { ${TOKENS} } }`,
  },
  {
    method: 'post',
    path: '/logout',
    operation: 'logOut',
    summary: 'End the session.',
    document: 'mutation { logOut }',
    status: 204,
  },
  {
    method: 'get',
    path: '/me',
    operation: 'me',
    summary: 'Who is asking, and what it may do.',
    document: '{ me { tenantId name roles permissions mustChangePassword } }',
  },
  {
    method: 'post',
    path: '/me/password',
    operation: 'changePassword',
    summary: 'Change the own password. Ends every session.',
    body: z.strictObject({ current: text(128), next: text(128) }),
    document: `mutation ($current: String!, $next: String!) { changePassword(current: $current, next: $next) { ${USER} } }`,
  },
  {
    method: 'get',
    path: '/users',
    operation: 'users',
    summary: 'Users and service accounts, newest first.',
    query: z.strictObject(page),
    document: `query ($first: Int, $after: String) { users(first: $first, after: $after) { edges { node { ${USER} } } ${PAGE} } }`,
  },
  {
    method: 'post',
    path: '/users',
    operation: 'createUser',
    summary: 'Make a user. The password serves once.',
    body: z.strictObject({ name: userName, email: email.optional(), roles }),
    document: `mutation ($name: String!, $email: String, $roles: [Role!]!) {
      createUser(name: $name, email: $email, roles: $roles) { oneTimePassword user { ${USER} } }
    }`,
    status: 201,
    location: ({ user }: { user: { id: string } }) => `/users/${user.id}`,
  },
  {
    method: 'get',
    path: '/users/{id}',
    operation: 'user',
    summary: 'A user, by id or name.',
    document: `query ($id: ID!) { user(id: $id) { ${USER} } }`,
  },
  {
    method: 'patch',
    path: '/users/{id}',
    operation: 'updateUser',
    summary: 'Change a user; what is left out stays.',
    body: z.strictObject({
      email: email.nullable().optional(),
      roles: roles.optional(),
      disabled: z.boolean().optional(),
    }),
    document: `mutation ($id: ID!, $email: String, $roles: [Role!], $disabled: Boolean) {
      updateUser(id: $id, email: $email, roles: $roles, disabled: $disabled) { ${USER} }
    }`,
  },
  {
    method: 'delete',
    path: '/users/{id}',
    operation: 'deleteUser',
    summary: 'Delete a user with its keys and sessions.',
    document: 'mutation ($id: ID!) { deleteUser(id: $id) { id } }',
    status: 204,
  },
  {
    method: 'get',
    path: '/keys',
    operation: 'apiKeys',
    summary: 'API keys without their secrets: all for admins, else the own.',
    document: `{ apiKeys { ${KEY} } }`,
    present: (items: unknown[]) => ({ items }),
  },
  {
    method: 'post',
    path: '/keys',
    operation: 'createApiKey',
    summary: 'Make an API key. The secret is shown once.',
    body: z.strictObject({
      name: text(100).min(1),
      userId: text(64).optional(),
      scopes: z.array(z.enum(PERMISSIONS)).max(PERMISSIONS.length).optional(),
      expiresInDays: z.int().min(1).max(365).optional(),
    }),
    document: `mutation ($name: String!, $userId: ID, $scopes: [String!], $expiresInDays: Int) {
      createApiKey(name: $name, userId: $userId, scopes: $scopes, expiresInDays: $expiresInDays) { secret key { ${KEY} } }
    }`,
    status: 201,
  },
  {
    method: 'delete',
    path: '/keys/{id}',
    operation: 'revokeApiKey',
    summary: 'Revoke an API key.',
    document: 'mutation ($id: ID!) { revokeApiKey(id: $id) { id } }',
    status: 204,
  },
  {
    method: 'get',
    path: '/tenants',
    operation: 'tenants',
    summary: 'All tenants.',
    document: `{ tenants { ${TENANT} } }`,
    present: (items: unknown[]) => ({ items }),
  },
  {
    method: 'post',
    path: '/tenants',
    operation: 'createTenant',
    summary: 'Make a tenant with its first admin.',
    body: z.strictObject({ id: tenantName, name: text(200).optional(), admin: userName.optional(), ...quotas }),
    document: `mutation ($id: ID!, $name: String, $admin: String! = "admin", ${QUOTAS}) {
      createTenant(id: $id, name: $name, admin: $admin, ${GIVEN}) {
        tenant { ${TENANT} } admin { oneTimePassword user { ${USER} } }
      }
    }`,
    status: 201,
    location: ({ tenant }: { tenant: { id: string } }) => `/tenants/${tenant.id}`,
  },
  {
    method: 'get',
    path: '/tenants/{id}',
    operation: 'tenant',
    summary: 'A tenant.',
    document: `query ($id: ID!) { tenant(id: $id) { ${TENANT} } }`,
  },
  {
    method: 'put',
    path: '/tenants/{id}/quotas',
    operation: 'setTenantQuotas',
    summary: 'Set the quotas of a tenant; what is left out becomes unlimited.',
    body: z.strictObject(quotas),
    document: `mutation ($id: ID!, ${QUOTAS}) { setTenantQuotas(id: $id, ${GIVEN}) { ${TENANT} } }`,
  },
  {
    method: 'post',
    path: '/tenants/{id}/suspend',
    operation: 'suspendTenant',
    summary: 'Nobody of it gets in; its runs go on.',
    body: z.strictObject({ reason: text(2000).optional() }),
    document: `mutation ($id: ID!, $reason: String) { suspendTenant(id: $id, reason: $reason) { ${TENANT} } }`,
  },
  {
    method: 'post',
    path: '/tenants/{id}/resume',
    operation: 'resumeTenant',
    summary: 'Let a suspended tenant in again.',
    body: z.strictObject({}),
    document: `mutation ($id: ID!) { resumeTenant(id: $id) { ${TENANT} } }`,
  },
  {
    method: 'post',
    path: '/tenants/{id}/erase',
    operation: 'eraseTenant',
    summary: 'Make the values of its runs unreadable for good and delete its accounts; it has to be suspended before.',
    body: z.strictObject({}),
    document: `mutation ($id: ID!) { eraseTenant(id: $id) { ${TENANT} } }`,
  },
];
