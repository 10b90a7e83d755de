import { AppError } from '../errors.ts';
import type { Permission } from './permission.ts';

/** Whoever has no list of permissions may do nothing. */
export type Holder = { permissions?: readonly Permission[] };

export function allow(holder: Holder, permission: Permission): boolean {
  return holder.permissions?.includes(permission) ?? false;
}

/** @throws ACCESS_DENIED */
export function demand(holder: Holder, permission: Permission, what: string): void {
  if (!allow(holder, permission)) throw new AppError('ACCESS_DENIED', { what, detail: `it needs ${permission}` });
}
