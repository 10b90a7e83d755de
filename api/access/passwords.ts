import { randomBytes } from 'node:crypto';
import { updateAccount, readAccount } from '../../adapters/postgres/account-store.ts';
import { recordedChange } from '../../adapters/postgres/record-events.ts';
import { endSessionsOf } from '../../adapters/postgres/session-store.ts';
import { hashPassword, passwordMatches } from '../../adapters/passwords/password-hash.ts';
import type { Account } from '../../domain/access/account.ts';
import { AppError } from '../../domain/errors.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import { accessEvent } from './audit.ts';
import type { AccessDeps } from './deps.ts';
import type { Principal } from './principal.ts';

export const LEAST_CHARACTERS = 12;
const MOST_CHARACTERS = 128;

/** Lets through any composition: length is what counts. @throws INPUT_INVALID */
export function checkPassword(password: string, name: string): void {
  const characters = Array.from(password.normalize('NFKC'));
  if (characters.length < LEAST_CHARACTERS || characters.length > MOST_CHARACTERS) {
    throw argumentInvalid('password', `must have ${LEAST_CHARACTERS} to ${MOST_CHARACTERS} characters`);
  }
  if (new Set(characters).size < 5) throw argumentInvalid('password', 'repeats the same few characters');
  if (password.toLowerCase().includes(name)) throw argumentInvalid('password', 'must not contain the name');
}

/** 120 bits, for one use. */
export const oneTimePassword = (): string => randomBytes(15).toString('base64url');

/** Ends every session of the account, this one too. @throws UNAUTHENTICATED, INPUT_INVALID */
export async function changePassword(
  deps: AccessDeps,
  principal: Principal,
  { current, next }: { current: string; next: string },
): Promise<Account> {
  const account = await ownAccount(deps, principal);
  const { allowed } = await deps.signInLimiter.take(`password ${account.id}`, { perMinute: 1, burst: 5 });
  if (!allowed) throw new AppError('RATE_LIMITED', { detail: 'too many attempts' });
  if (!(await passwordMatches(current, account.passwordHash))) {
    throw new AppError('UNAUTHENTICATED', { detail: 'the current password is not right' });
  }
  checkPassword(next, account.name);
  if (next === current) throw argumentInvalid('next', 'must differ from the current one');
  return setPassword(deps, principal, account, next, false);
}

export async function setPassword(
  deps: Pick<AccessDeps, 'pool'>,
  principal: Principal,
  { tenantId, id, name }: Account,
  password: string,
  mustChangePassword: boolean,
): Promise<Account> {
  const passwordHash = await hashPassword(password);
  return recordedChange(deps.pool, tenantId, async (client) => {
    const changed = await updateAccount(client, tenantId, id, { passwordHash, mustChangePassword });
    if (!changed) throw new AppError('NOT_FOUND', { what: 'user', id });
    await endSessionsOf(client, tenantId, id, 'the password was changed');
    return { result: changed, events: [accessEvent('access.password_changed', principal, name)] };
  });
}

/** @throws ACCESS_DENIED for whoever is no person that signed in */
export async function ownAccount(deps: Pick<AccessDeps, 'pool'>, principal: Principal): Promise<Account> {
  const { userId, sessionId, tenantId } = principal;
  const account = userId && sessionId ? await readAccount(deps.pool, tenantId, userId) : undefined;
  if (!account) throw new AppError('ACCESS_DENIED', { what: 'the account', detail: 'sign in with a password first' });
  return account;
}
