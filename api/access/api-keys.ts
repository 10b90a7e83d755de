import { randomBytes } from 'node:crypto';
import {
  insertApiKey,
  listApiKeys as listKeys,
  readApiKey,
  revokeApiKey as revoke,
} from '../../adapters/postgres/api-key-store.ts';
import { recordedChange } from '../../adapters/postgres/record-events.ts';
import type { Account, ApiKey } from '../../domain/access/account.ts';
import { allow } from '../../domain/access/allow.ts';
import { isPermission } from '../../domain/access/permission.ts';
import { AppError } from '../../domain/errors.ts';
import { argumentInvalid } from '../graphql/connection.ts';
import { userOf } from './accounts.ts';
import { accessEvent } from './audit.ts';
import type { AccessDeps } from './deps.ts';
import { KEY_PREFIX, permissionsFor, sha256 } from './identify.ts';
import { ownAccount } from './passwords.ts';
import type { Principal } from './principal.ts';

export type NewKey = {
  name: string;
  /** Whose it is; the caller's own when left out. */
  userId?: string | null | undefined;
  scopes?: readonly string[] | null | undefined;
  expiresInDays?: number | null | undefined;
};

const DAY_MS = 86_400_000;
const MOST_DAYS = 365;

/** The secret is given once and kept as a hash. @throws ACCESS_DENIED, INPUT_INVALID, NOT_FOUND */
export async function createApiKey(
  deps: AccessDeps,
  principal: Principal,
  { name, userId = null, scopes = null, expiresInDays }: NewKey,
): Promise<{ key: ApiKey; secret: string }> {
  const owner = await ownerOf(deps, principal, userId);
  const days = expiresInDays ?? deps.settings.WEFT_API_KEY_DAYS;
  if (days < 1 || days > MOST_DAYS) throw argumentInvalid('expiresInDays', `must be 1 to ${MOST_DAYS}`);
  if (!/^[^\0]{1,100}$/.test(name)) throw argumentInvalid('name', 'must have 1 to 100 characters');
  const unknown = (scopes ?? []).filter((scope) => !isPermission(scope));
  if (unknown.length > 0) throw argumentInvalid('scopes', `knows no ${unknown.join(', ')}`);
  const permissions = permissionsFor(owner, scopes);
  const beyond = (scopes ?? []).filter((scope) => !permissions.some((held) => held === scope));
  if (beyond.length > 0) throw argumentInvalid('scopes', `${beyond.join(', ')} is more than its user may do`);
  const id = randomBytes(8).toString('hex');
  const secret = randomBytes(32).toString('base64url');
  const expiresAt = new Date(Date.now() + days * DAY_MS);
  const key = await recordedChange(deps.pool, principal.tenantId, async (client) => {
    const result = await insertApiKey(client, {
      ...{ tenantId: principal.tenantId, id, userId: owner.id, name, scopes, expiresAt },
      secretHash: sha256(secret),
    });
    const about = { keyId: id, permissions: [...permissions] };
    return { result, events: [accessEvent('access.key_created', principal, owner.name, about)] };
  });
  return { key, secret: `${KEY_PREFIX}${id}_${secret}` };
}

/** Own keys for who signed in; those of others for admins. */
function ownerOf(deps: AccessDeps, principal: Principal, userId: string | null): Promise<Account> {
  if (userId === null) return ownAccount(deps, principal);
  if (!allow(principal, 'access:admin')) {
    throw new AppError('ACCESS_DENIED', { what: 'keys of others', detail: 'it needs access:admin' });
  }
  return userOf(deps, principal, userId);
}

/** @throws NOT_FOUND, also for keys of others where the caller is no admin */
export async function revokeApiKey(deps: AccessDeps, principal: Principal, id: string): Promise<ApiKey> {
  const key = id.includes('\0') ? undefined : await readApiKey(deps.pool, principal.tenantId, id);
  const mine = key?.userId === principal.userId && principal.userId !== undefined;
  if (!key || !(mine || allow(principal, 'access:admin'))) throw new AppError('NOT_FOUND', { what: 'key', id });
  return recordedChange(deps.pool, principal.tenantId, async (client) => {
    const revoked = (await revoke(client, principal.tenantId, id)) as ApiKey;
    return { result: revoked, events: [accessEvent('access.key_revoked', principal, key.userId, { keyId: id })] };
  });
}

/** All of the tenant for admins, else the caller's own. */
export async function listApiKeys(
  deps: AccessDeps,
  principal: Principal,
  userId: string | null | undefined,
): Promise<ApiKey[]> {
  if (allow(principal, 'access:admin')) return listKeys(deps.pool, principal.tenantId, userId ?? null);
  return listKeys(deps.pool, principal.tenantId, principal.userId ?? '');
}
