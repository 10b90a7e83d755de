import { PERMISSIONS, type Permission } from './permission.ts';

export const ROLES = ['admin', 'developer', 'operator', 'analyst', 'viewer', 'service'] as const;
export type Role = (typeof ROLES)[number];

const VIEWER: readonly Permission[] = [
  'runs:read',
  'workflows:read',
  'triggers:read',
  'content:read',
  'knowledge:read',
];
const ANALYST: readonly Permission[] = [...VIEWER, 'events:read', 'models:read', 'tools:read', 'system:read'];
const OPERATOR: readonly Permission[] = [
  ...ANALYST,
  'runs:start',
  'runs:operate',
  'runs:approve',
  'triggers:write',
  'system:operate',
];

/** What each role may do. Only `tenants:admin` reaches beyond the tenant, and only for admins of the first one. */
export const ROLE_PERMISSIONS: Readonly<Record<Role, readonly Permission[]>> = {
  admin: PERMISSIONS,
  developer: [
    ...ANALYST,
    'runs:start',
    'runs:operate',
    'runs:approve',
    'triggers:write',
    'workflows:write',
    'models:write',
    'models:call',
    'tools:write',
    'tools:call',
    'content:write',
    'knowledge:write',
  ],
  operator: OPERATOR,
  analyst: ANALYST,
  viewer: VIEWER,
  service: [
    ...VIEWER,
    'events:read',
    'runs:start',
    'models:read',
    'models:call',
    'tools:read',
    'tools:call',
    'content:write',
    'knowledge:write',
  ],
};

export function isRole(value: unknown): value is Role {
  return ROLES.some((role) => role === value);
}

/** What the roles allow together, narrowed to `scopes` where there are some. */
export function permissionsOf(roles: readonly string[], scopes?: readonly string[] | null): Permission[] {
  const held = new Set(roles.filter(isRole).flatMap((role) => ROLE_PERMISSIONS[role]));
  return PERMISSIONS.filter((permission) => held.has(permission) && (scopes?.includes(permission) ?? true));
}
