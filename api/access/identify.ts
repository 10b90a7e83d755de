import { createHash, timingSafeEqual } from 'node:crypto';
import { findApiKey, noteKeyUse } from '../../adapters/postgres/api-key-store.ts';
import { type Caller, readCaller } from '../../adapters/postgres/caller-store.ts';
import type { Identity } from '../../adapters/tokens/internal-token.ts';
import type { Account } from '../../domain/access/account.ts';
import { PERMISSIONS, type Permission } from '../../domain/access/permission.ts';
import { permissionsOf } from '../../domain/access/roles.ts';
import { AppError } from '../../domain/errors.ts';
import { DEFAULT_TENANT } from '../../domain/identifiers.ts';
import type { AccessDeps } from './deps.ts';
import { nobody } from './principal.ts';

export const KEY_PREFIX = 'weft_';
const API_KEY = /^weft_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;
/** As often as the store takes it. */
const KEY_USE_NOTED_MS = 60_000;
export const tokenIssuer = ({ settings }: Pick<AccessDeps, 'settings'>) => ({
  issuer: settings.WEFT_TOKEN_ISSUER,
  audience: 'weft',
});

/** Who shows this: an access token, an API key or the operator's token. @throws UNAUTHENTICATED */
export async function identify(deps: AccessDeps, bearer: string, address: string | null): Promise<Identity> {
  if (isOperatorToken(deps, bearer)) return operator(address);
  const match = API_KEY.exec(bearer);
  if (match) return identifyKey(deps, match[1] as string, match[2] as string, address);
  return identifyToken(deps, bearer, address);
}

function isOperatorToken({ settings }: AccessDeps, bearer: string): boolean {
  const { WEFT_OPERATOR_TOKEN: token } = settings;
  return token !== null && timingSafeEqual(sha256(token), sha256(bearer));
}

function operator(address: string | null): Identity {
  return {
    ...nobody(address),
    tenantId: DEFAULT_TENANT,
    subject: 'operator',
    kind: 'OPERATOR',
    roles: ['admin'],
    permissions: PERMISSIONS,
  };
}

async function identifyKey(deps: AccessDeps, id: string, secret: string, address: string | null): Promise<Identity> {
  const found = await findApiKey(deps.pool, id);
  const matches = timingSafeEqual(found?.secretHash ?? Buffer.alloc(32), sha256(secret));
  if (!found || !matches) throw refused('the key is not valid');
  const { key } = found;
  if (key.revokedAt) throw refused('the key was revoked');
  if (key.expiresAt <= new Date()) throw refused('the key has expired');
  const { account } = await activeCaller(deps, key.tenantId, key.userId, null);
  if (key.usedAt === null || Date.now() - key.usedAt.getTime() > KEY_USE_NOTED_MS) await noteKeyUse(deps.pool, id);
  return { ...identityOf(account, permissionsFor(account, key.scopes)), keyId: id, address };
}

async function identifyToken(deps: AccessDeps, token: string, address: string | null): Promise<Identity> {
  const claims = await deps.verifyToken(token);
  const { account, sessionIsOpen } = await activeCaller(deps, claims.tenant, claims.sub, claims.sid);
  if (!sessionIsOpen) throw refused('the session has ended');
  const mustChangePassword = account.mustChangePassword;
  const permissions = mustChangePassword ? [] : permissionsFor(account, null);
  return { ...identityOf(account, permissions), sessionId: claims.sid, mustChangePassword, address };
}

/** @throws UNAUTHENTICATED for one that is gone, shut out, or of a tenant that is */
export async function activeAccount(deps: Pick<AccessDeps, 'pool'>, tenant: string, id: string): Promise<Account> {
  return (await activeCaller(deps, tenant, id, null)).account;
}

async function activeCaller(
  { pool }: Pick<AccessDeps, 'pool'>,
  tenant: string,
  id: string,
  sessionId: string | null,
): Promise<Caller> {
  const caller = await readCaller(pool, tenant, id, sessionId);
  if (!caller || caller.account.disabled) throw refused('the account is not active');
  if (!caller.tenantIsActive) throw refused('the tenant is not active');
  return caller;
}

/** Tenants are the business of the first one alone. */
export function permissionsFor(account: Account, scopes: readonly string[] | null): Permission[] {
  const held = permissionsOf(account.roles, scopes);
  return account.tenantId === DEFAULT_TENANT ? held : held.filter((permission) => permission !== 'tenants:admin');
}

function identityOf(account: Account, permissions: readonly Permission[]): Identity {
  return {
    ...nobody(null),
    tenantId: account.tenantId,
    subject: account.name,
    userId: account.id,
    kind: account.kind,
    roles: account.roles,
    permissions,
  };
}

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
export const refused = (detail: string): AppError => new AppError('UNAUTHENTICATED', { detail });
