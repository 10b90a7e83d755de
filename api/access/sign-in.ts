import { randomBytes, randomUUID } from 'node:crypto';
import { findAccount, noteSignIn } from '../../adapters/postgres/account-store.ts';
import { recordedChange, recordEvents, recordWithin } from '../../adapters/postgres/record-events.ts';
import { endSession, insertSession, rotateSession } from '../../adapters/postgres/session-store.ts';
import { readTenant } from '../../adapters/postgres/tenant-store.ts';
import { inTransaction } from '../../adapters/postgres/transaction.ts';
import { passwordMatches } from '../../adapters/passwords/password-hash.ts';
import { signAccessToken } from '../../adapters/tokens/access-token.ts';
import type { Account } from '../../domain/access/account.ts';
import { AppError } from '../../domain/errors.ts';
import { DEFAULT_TENANT, tenantId } from '../../domain/identifiers.ts';
import { accessEvent } from './audit.ts';
import type { AccessDeps } from './deps.ts';
import { activeAccount, refused, sha256, tokenIssuer } from './identify.ts';
import type { Principal } from './principal.ts';

export type Tokens = {
  accessToken: string;
  tokenType: 'Bearer';
  /** Seconds. */
  expiresIn: number;
  refreshToken: string;
  /** Until then the access token opens changePassword alone. */
  mustChangePassword: boolean;
};
export type SignIn = { username: string; password: string; tenant?: string | null | undefined };

const DAY_MS = 86_400_000;
const PER_ACCOUNT = { perMinute: 1, burst: 10 };
const PER_ADDRESS = { perMinute: 10, burst: 50 };
const REFRESH_TOKEN = /^weftr_([0-9a-f-]{36})_([A-Za-z0-9_-]{43})$/;

/** The same refusal and the same time whatever is wrong. @throws UNAUTHENTICATED, RATE_LIMITED */
export async function logIn(deps: AccessDeps, request: SignIn, address: string | null): Promise<Tokens> {
  const tenant = request.tenant ?? DEFAULT_TENANT;
  const name = request.username.toLowerCase();
  await limitAttempts(deps, `${tenant}/${name}`, address);
  const storable = ![tenant, name].some((text) => text.includes('\0'));
  const account = storable ? await findAccount(deps.pool, tenant, name) : undefined;
  const home = account && (await readTenant(deps.pool, account.tenantId));
  const matches = await passwordMatches(request.password, account?.passwordHash ?? null);
  if (!account || !matches || account.disabled || home?.state !== 'ACTIVE') {
    const reason = !account ? 'no such user' : !matches ? 'wrong password' : 'not active';
    const where = home ? account.tenantId : DEFAULT_TENANT;
    const event = accessEvent('access.login_failed', { subject: null, address }, account?.name ?? null, { reason });
    await recordEvents(deps.pool, where, [event]);
    deps.log.info({ tenant: where, address, reason }, 'sign-in failed');
    throw refused('user name or password is not right');
  }
  return openSession(deps, account, address, 'password');
}

async function limitAttempts({ signInLimiter }: AccessDeps, account: string, address: string | null): Promise<void> {
  const decisions = [await signInLimiter.take(`account ${account}`, PER_ACCOUNT)];
  if (address !== null) decisions.push(await signInLimiter.take(`address ${address}`, PER_ADDRESS));
  const retryAfterMs = Math.max(...decisions.map((decision) => decision.retryAfterMs));
  if (decisions.some(({ allowed }) => !allowed)) {
    throw new AppError('RATE_LIMITED', { detail: 'too many attempts to sign in', retryAfterMs });
  }
}

/** Signs in somebody who has been identified. */
export async function openSession(
  deps: AccessDeps,
  account: Account,
  address: string | null,
  how: string,
): Promise<Tokens> {
  const session = { tenantId: account.tenantId, id: randomUUID(), userId: account.id };
  const secret = newSecret();
  const expiresAt = new Date(Date.now() + deps.settings.WEFT_REFRESH_TOKEN_DAYS * DAY_MS);
  await recordedChange(deps.pool, account.tenantId, async (client) => {
    await insertSession(client, session, sha256(secret), expiresAt);
    await noteSignIn(client, account);
    const by = { subject: account.name, address };
    return { result: null, events: [accessEvent('access.logged_in', by, account.name, { detail: { how } })] };
  });
  return tokensOf(deps, account, session.id, secret);
}

/** A refresh token serves once; used again, the session that it belongs to ends. @throws UNAUTHENTICATED */
export async function refresh(deps: AccessDeps, refreshToken: string, address: string | null): Promise<Tokens> {
  const [, id, secret] = REFRESH_TOKEN.exec(refreshToken) ?? [];
  if (id === undefined || secret === undefined) throw refused('the refresh token is not valid');
  const next = newSecret();
  const rotation = await inTransaction(deps.pool, async (client) => {
    const outcome = await rotateSession(client, id, sha256(secret), sha256(next));
    if (outcome.outcome === 'reused') {
      const reason = 'a refresh token was used twice: the session has ended';
      const event = accessEvent('access.token_refused', { subject: null, address }, outcome.session.userId, { reason });
      await recordWithin(client, outcome.session.tenantId, [event]);
    }
    return outcome;
  });
  if (rotation.outcome !== 'rotated') throw refused('the refresh token is not valid');
  const account = await activeAccount(deps, rotation.session.tenantId, rotation.session.userId);
  return tokensOf(deps, account, id, next);
}

/** Ends the session; keys and the operator's token have none. */
export async function logOut(deps: AccessDeps, principal: Principal): Promise<boolean> {
  const { sessionId, tenantId: tenant } = principal;
  if (!sessionId) return false;
  await recordedChange(deps.pool, tenant, async (client) => {
    await endSession(client, { tenantId: tenantId(tenant), id: sessionId }, 'signed out');
    return { result: null, events: [accessEvent('access.logged_out', principal, principal.subject)] };
  });
  return true;
}

async function tokensOf(deps: AccessDeps, account: Account, sessionId: string, secret: string): Promise<Tokens> {
  const { WEFT_ACCESS_TOKEN_SECONDS: seconds } = deps.settings;
  const claims = {
    sub: account.id,
    tenant: account.tenantId,
    name: account.name,
    roles: account.roles,
    kind: account.kind,
    sid: sessionId,
    ...(account.mustChangePassword && { mustChangePassword: true as const }),
  };
  return {
    accessToken: await signAccessToken(await deps.signingKeys.current(), tokenIssuer(deps), claims, seconds),
    tokenType: 'Bearer',
    expiresIn: seconds,
    refreshToken: `weftr_${sessionId}_${secret}`,
    mustChangePassword: account.mustChangePassword,
  };
}

const newSecret = (): string => randomBytes(32).toString('base64url');
