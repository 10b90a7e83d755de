import { AppError } from '../errors.ts';
import type { Rule } from './operation-permissions.ts';
import type { Permission } from './permission.ts';

/** Whoever has no list of permissions may do nothing. */
export type Holder = { permissions?: readonly Permission[]; kind?: string };

export function allow(holder: Holder, permission: Permission): boolean {
  return holder.permissions?.includes(permission) ?? false;
}

/** @throws UNAUTHENTICATED, ACCESS_DENIED */
export function demand(holder: Holder, rule: Rule, what: string): void {
  if (rule === 'public' || (rule !== 'authenticated' && allow(holder, rule))) return;
  if (holder.kind === undefined || holder.kind === 'NOBODY') {
    throw new AppError('UNAUTHENTICATED', { detail: `${what} is for those who are known` });
  }
  if (rule !== 'authenticated') throw new AppError('ACCESS_DENIED', { what, detail: `it needs ${rule}` });
}
