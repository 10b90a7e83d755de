import { randomUUID } from 'node:crypto';
import { createOidcClient, type OidcClaims, type OidcClient } from '../../adapters/oidc/oidc-client.ts';
import { findIssuedAccount, insertAccount, updateAccount } from '../../adapters/postgres/account-store.ts';
import { insertOidcSignIn, takeOidcSignIn } from '../../adapters/postgres/oidc-sign-in-store.ts';
import { recordedChange } from '../../adapters/postgres/record-events.ts';
import { readTenant } from '../../adapters/postgres/tenant-store.ts';
import type { Settings } from '../../config/settings.ts';
import type { Account } from '../../domain/access/account.ts';
import { isRole } from '../../domain/access/roles.ts';
import { AppError } from '../../domain/errors.ts';
import { tenantId } from '../../domain/identifiers.ts';
import { accessEvent } from './audit.ts';
import type { AccessDeps } from './deps.ts';
import { refused, sha256 } from './identify.ts';
import { openSession, type Tokens } from './sign-in.ts';

export const OIDC_CALLBACK = '/login/oidc/callback';
const MINUTES_MS = 10 * 60_000;

export type OidcSettings = Pick<
  Settings,
  | 'WEFT_OIDC_ISSUER'
  | 'WEFT_OIDC_CLIENT_ID'
  | 'WEFT_OIDC_CLIENT_SECRET'
  | 'WEFT_OIDC_SCOPES'
  | 'WEFT_OIDC_TENANT'
  | 'WEFT_OIDC_ROLES_CLAIM'
  | 'WEFT_OIDC_DEFAULT_ROLES'
>;
export type OidcSignIns = {
  /** Address of the API for browsers. */
  publicUrl: string;
  /** Where to send the browser, and what it has to bring back. */
  begin(returnTo: string | null): Promise<{ url: string; state: string }>;
  /** @throws UNAUTHENTICATED, ACCESS_DENIED */
  finish(url: URL, state: string, address: string | null): Promise<{ tokens: Tokens; returnTo: string | null }>;
};

/** Null where no provider is set. @throws SETUP_INCOMPLETE */
export function createOidcSignIns(deps: AccessDeps, settings: OidcSettings, publicUrl: string): OidcSignIns | null {
  const { WEFT_OIDC_ISSUER: issuer, WEFT_OIDC_CLIENT_ID: clientId, WEFT_OIDC_CLIENT_SECRET: clientSecret } = settings;
  if (issuer === null) return null;
  if (clientId === null || clientSecret === null) {
    const detail = 'WEFT_OIDC_ISSUER needs WEFT_OIDC_CLIENT_ID and WEFT_OIDC_CLIENT_SECRET';
    throw new AppError('SETUP_INCOMPLETE', { detail });
  }
  const redirectUri = new URL(OIDC_CALLBACK, publicUrl).href;
  const client: OidcClient = createOidcClient({
    ...{ issuer, clientId, clientSecret, redirectUri, scopes: settings.WEFT_OIDC_SCOPES },
  });
  return {
    publicUrl,
    async begin(returnTo) {
      const { url, state, verifier, nonce } = await client.begin();
      const secret = deps.secrets.seal(JSON.stringify({ verifier, nonce }), `oidc ${state}`);
      const signIn = { tenantId: settings.WEFT_OIDC_TENANT, secret, returnTo };
      await insertOidcSignIn(deps.pool, sha256(state), signIn, new Date(Date.now() + MINUTES_MS));
      return { url, state };
    },
    async finish(url, state, address) {
      const begun = await takeOidcSignIn(deps.pool, sha256(state));
      if (!begun) throw refused('the sign-in was not begun here, or too long ago');
      const kept = JSON.parse(deps.secrets.open(begun.secret, `oidc ${state}`)) as { verifier: string; nonce: string };
      const claims = await client.finish(url, { state, ...kept });
      const account = await accountOf(deps, settings, claims);
      return { tokens: await openSession(deps, account, address, 'openid'), returnTo: begun.returnTo };
    },
  };
}

/** The account of a person of the provider; made at the first sign-in. Its roles follow the provider where that says any. */
async function accountOf(deps: AccessDeps, settings: OidcSettings, claims: OidcClaims): Promise<Account> {
  const tenant = tenantId(settings.WEFT_OIDC_TENANT);
  if ((await readTenant(deps.pool, tenant))?.state !== 'ACTIVE') throw refused('the tenant is not active');
  const told = rolesOf(claims[settings.WEFT_OIDC_ROLES_CLAIM]);
  const known = await findIssuedAccount(deps.pool, tenant, claims.issuer, claims.subject);
  if (known?.disabled) throw refused('the account is not active');
  if (known && (told === null || told.join() === known.roles.join())) return known;
  const roles = told ?? [...settings.WEFT_OIDC_DEFAULT_ROLES].filter(isRole);
  if (roles.length === 0) {
    throw new AppError('ACCESS_DENIED', { what: 'Weft', detail: 'the provider names no role of it for this account' });
  }
  const by = { subject: null };
  return recordedChange(deps.pool, tenant, async (client) => {
    if (known) {
      const result = await updateAccount(client, tenant, known.id, { roles });
      const change = { before: [...known.roles], after: roles, detail: { issuer: claims.issuer } };
      return { result: result as Account, events: [accessEvent('access.role_changed', by, known.name, change)] };
    }
    const name = nameOf(claims);
    const result = await insertAccount(client, {
      ...{ tenantId: tenant, id: randomUUID(), kind: 'USER', name, email: textOf(claims['email']), roles },
      ...{ passwordHash: null, mustChangePassword: false, issuer: claims.issuer, issuerSubject: claims.subject },
    });
    const detail = { issuer: claims.issuer, roles };
    return { result, events: [accessEvent('access.user_created', by, name, { detail })] };
  });
}

/** Never one that a local account may have. */
function nameOf(claims: OidcClaims): string {
  const given = textOf(claims['preferred_username']) ?? textOf(claims['email']) ?? claims.subject;
  const name = given.toLowerCase().replace(/[^a-z0-9._@-]/g, '-');
  return `oidc.${name}.${sha256(`${claims.issuer} ${claims.subject}`).toString('hex').slice(0, 6)}`.slice(0, 64);
}

function rolesOf(claim: unknown): string[] | null {
  if (claim === undefined) return null;
  const names: unknown[] = Array.isArray(claim) ? claim : String(claim).split(/[\s,]+/);
  return [...new Set(names.filter(isRole))].sort();
}

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);
