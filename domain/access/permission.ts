/** What a caller may be allowed to do; the same strings are the scopes of keys and tokens. */
export const PERMISSIONS = [
  'runs:read',
  'runs:start',
  'runs:operate',
  'runs:approve',
  'workflows:read',
  'workflows:write',
  'triggers:read',
  'triggers:write',
  'events:read',
  'events:admin',
  'models:read',
  'models:write',
  'models:call',
  'tools:read',
  'tools:write',
  'tools:call',
  'content:read',
  'content:write',
  'knowledge:read',
  'knowledge:write',
  'access:admin',
  'tenants:admin',
  'system:read',
  'system:operate',
] as const;

export type Permission = (typeof PERMISSIONS)[number];

export function isPermission(value: unknown): value is Permission {
  return PERMISSIONS.some((permission) => permission === value);
}
