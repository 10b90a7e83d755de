import { randomUUID } from 'node:crypto';
import {
  deleteAccount,
  findAccount,
  insertAccount,
  listAccounts,
  readAccount,
  updateAccount,
} from '../../adapters/postgres/account-store.ts';
import { parseNewestCursor, newestCursor } from '../../adapters/postgres/newest-page.ts';
import { recordedChange } from '../../adapters/postgres/record-events.ts';
import { endSessionsOf } from '../../adapters/postgres/session-store.ts';
import { hashPassword } from '../../adapters/passwords/password-hash.ts';
import type { Account, AccountKind } from '../../domain/access/account.ts';
import { isRole, ROLES } from '../../domain/access/roles.ts';
import { AppError } from '../../domain/errors.ts';
import type { SystemEvent } from '../../domain/events/system-event.ts';
import { argumentInvalid, connectionOf, pageSize, type Connection } from '../graphql/connection.ts';
import { accessEvent } from './audit.ts';
import type { AccessDeps } from './deps.ts';
import { oneTimePassword, setPassword } from './passwords.ts';
import type { Principal } from './principal.ts';

export type NewUser = { name: string; email?: string | null | undefined; roles: readonly string[] };
export type UserChange = {
  id: string;
  email?: string | null | undefined;
  roles?: readonly string[] | null | undefined;
  disabled?: boolean | null | undefined;
};
export type WithPassword = { user: Account; oneTimePassword: string };
type Page = { first?: number | null | undefined; after?: string | null | undefined };

const NAME = /^[a-z0-9][a-z0-9._@-]{0,63}$/;

/** With a password for the first sign-in, at which it has to be changed. @throws INPUT_INVALID, ID_TAKEN */
export async function createUser(deps: AccessDeps, principal: Principal, user: NewUser): Promise<WithPassword> {
  const password = oneTimePassword();
  return { user: await create(deps, principal, 'USER', user, password), oneTimePassword: password };
}

/** Signs in with keys alone. @throws INPUT_INVALID, ID_TAKEN */
export function createServiceAccount(deps: AccessDeps, principal: Principal, user: NewUser): Promise<Account> {
  return create(deps, principal, 'SERVICE', user, null);
}

async function create(
  deps: AccessDeps,
  principal: Principal,
  kind: AccountKind,
  { name: given, email = null, roles }: NewUser,
  password: string | null,
): Promise<Account> {
  const name = given.toLowerCase();
  if (!NAME.test(name)) throw argumentInvalid('name', 'may have 1 to 64 of a-z, 0-9 and . _ @ -');
  const account = {
    tenantId: principal.tenantId,
    id: randomUUID(),
    kind,
    name,
    email: checkEmail(email),
    roles: checkRoles(roles),
    passwordHash: password === null ? null : await hashPassword(password),
    mustChangePassword: password !== null,
    issuer: null,
    issuerSubject: null,
  };
  return recordedChange(deps.pool, principal.tenantId, async (client) => {
    const result = await insertAccount(client, account);
    const detail = { kind, roles: [...account.roles] };
    return { result, events: [accessEvent('access.user_created', principal, name, { detail })] };
  });
}

/** What is left out stays. Who is shut out loses every session. @throws NOT_FOUND, INPUT_INVALID, ACCESS_DENIED */
export async function updateUser(deps: AccessDeps, principal: Principal, change: UserChange): Promise<Account> {
  const before = await userOf(deps, principal, change.id);
  const roles = change.roles ? checkRoles(change.roles) : undefined;
  const disabled = change.disabled ?? undefined;
  if (before.id === principal.userId && (disabled || (roles && !roles.includes('admin')))) {
    throw new AppError('ACCESS_DENIED', { what: 'your own account', detail: 'another admin has to do that' });
  }
  return recordedChange(deps.pool, principal.tenantId, async (client) => {
    const email = change.email === undefined ? {} : { email: checkEmail(change.email) };
    const fields = { ...email, ...(roles && { roles }), ...(disabled !== undefined && { disabled }) };
    const result = await updateAccount(client, principal.tenantId, before.id, fields);
    if (!result) throw new AppError('NOT_FOUND', { what: 'user', id: change.id });
    if (disabled) await endSessionsOf(client, principal.tenantId, before.id, 'the account was disabled');
    return { result, events: changeEvents(principal, before, result) };
  });
}

function changeEvents(principal: Principal, before: Account, after: Account): SystemEvent[] {
  const events: SystemEvent[] = [];
  const { name } = after;
  if (before.roles.join() !== after.roles.join()) {
    const roles = { before: [...before.roles], after: [...after.roles] };
    events.push(accessEvent('access.role_changed', principal, name, roles));
  }
  if (!before.disabled && after.disabled) events.push(accessEvent('access.user_disabled', principal, name));
  if (events.length === 0) events.push(accessEvent('access.user_changed', principal, name));
  return events;
}

/** @throws NOT_FOUND */
export async function resetPassword(deps: AccessDeps, principal: Principal, id: string): Promise<WithPassword> {
  const user = await userOf(deps, principal, id);
  if (user.kind !== 'USER') throw argumentInvalid('id', 'is a service account, which has no password');
  const password = oneTimePassword();
  return { user: await setPassword(deps, principal, user, password, true), oneTimePassword: password };
}

/** With its keys and sessions. @throws NOT_FOUND, ACCESS_DENIED */
export async function deleteUser(deps: AccessDeps, principal: Principal, id: string): Promise<Account> {
  const { id: userId } = await userOf(deps, principal, id);
  if (userId === principal.userId) {
    throw new AppError('ACCESS_DENIED', { what: 'your own account', detail: 'another admin has to do that' });
  }
  return recordedChange(deps.pool, principal.tenantId, async (client) => {
    const result = await deleteAccount(client, principal.tenantId, userId);
    if (!result) throw new AppError('NOT_FOUND', { what: 'user', id });
    return { result, events: [accessEvent('access.user_deleted', principal, result.name)] };
  });
}

/** Signs it out everywhere. @throws NOT_FOUND */
export async function revokeSessions(deps: AccessDeps, principal: Principal, id: string): Promise<Account> {
  const user = await userOf(deps, principal, id);
  return recordedChange(deps.pool, principal.tenantId, async (client) => {
    await endSessionsOf(client, principal.tenantId, user.id, 'revoked by an admin');
    return { result: user, events: [accessEvent('access.session_revoked', principal, user.name)] };
  });
}

/** By id or by name. */
export async function readUser(deps: AccessDeps, principal: Principal, id: string): Promise<Account | undefined> {
  if (id.includes('\0')) return undefined;
  return (
    (await readAccount(deps.pool, principal.tenantId, id)) ??
    (await findAccount(deps.pool, principal.tenantId, id.toLowerCase()))
  );
}

/** @throws NOT_FOUND */
export async function userOf(deps: AccessDeps, principal: Principal, id: string): Promise<Account> {
  const user = await readUser(deps, principal, id);
  if (!user) throw new AppError('NOT_FOUND', { what: 'user', id });
  return user;
}

/** Newest first. @throws INPUT_INVALID */
export async function listUsers(deps: AccessDeps, principal: Principal, page: Page): Promise<Connection<Account>> {
  const after = page.after ?? undefined;
  if (after !== undefined && !parseNewestCursor(after)) throw argumentInvalid('after', 'is no cursor of this list');
  const found = await listAccounts(deps.pool, principal.tenantId, { first: pageSize(page.first, 20, 100), after });
  return connectionOf(found, newestCursor, after);
}

function checkRoles(roles: readonly string[]): string[] {
  const unknown = roles.filter((role) => !isRole(role));
  if (unknown.length > 0)
    throw argumentInvalid('roles', `knows no ${unknown.join(', ')}; there are ${ROLES.join(', ')}`);
  return [...new Set(roles)].sort();
}

function checkEmail(email: string | null): string | null {
  if (email === null || /^[^\s@\0]{1,64}@[^\s@\0]{1,190}$/.test(email)) return email;
  throw argumentInvalid('email', 'is no address');
}
