import type { Request } from 'express';
import type { Logger } from 'pino';
import { createMemoryRateLimiter } from '../../adapters/rate-limits/rate-limiter.ts';
import { createInternalTokens, type InternalTokens } from '../../adapters/tokens/internal-token.ts';
import type { Settings } from '../../config/settings.ts';
import { AppError } from '../../domain/errors.ts';
import type { SecretBox } from '../../temporal/secret-box.ts';
import type { AccessDeps } from './deps.ts';
import { type FirstAdmin, makeFirstAdmin } from './first-admin.ts';
import { identify, refused } from './identify.ts';
import { LOCAL_PRINCIPAL, nobody, type Principal, principalOf } from './principal.ts';
import { createSigningKeys } from './signing-keys.ts';

/** Carries who asks from the gateway to a subgraph. */
export const IDENTITY_HEADER = 'x-weft-identity';
export const SUBGRAPH_AUDIENCE = 'subgraph:runs';
export const IDENTIFY_AUDIENCE = 'access';
const LEAST_TOKEN_CHARACTERS = 32;

export type Access = {
  deps: AccessDeps;
  /** Null where nobody has to sign in. */
  internal: InternalTokens | null;
  /** Of a request that the gateway has sent. @throws UNAUTHENTICATED */
  behindGateway(request: Request): Promise<Principal>;
  /** Of a request that came from outside. @throws UNAUTHENTICATED for a token that is not valid */
  atTheDoor(request: Request): Promise<Principal>;
  firstAdmin(): Promise<FirstAdmin | null>;
};

export type AccessParts = { settings: Settings; pool: AccessDeps['pool']; secrets: SecretBox; log: Logger };

/** @throws SETUP_INCOMPLETE */
export function openAccess({ settings, pool, secrets, log }: AccessParts): Access {
  checkAccessSettings(settings);
  const deps: AccessDeps = {
    ...{ pool, settings, secrets, log },
    signingKeys: createSigningKeys(pool, secrets),
    signInLimiter: createMemoryRateLimiter(),
  };
  const local = (request: Request) => ({ ...LOCAL_PRINCIPAL, address: addressOf(request) });
  if (settings.WEFT_AUTH === 'off') {
    const atTheDoor = async (request: Request) => local(request);
    return { deps, internal: null, behindGateway: atTheDoor, atTheDoor, firstAdmin: async () => null };
  }
  const internal = createInternalTokens(settings.WEFT_SECRET_KEY);
  return {
    deps,
    internal,
    async behindGateway(request) {
      const token = request.get(IDENTITY_HEADER);
      if (token === undefined) throw refused('this address is for the gateway alone');
      return principalOf(await internal.verify(token, SUBGRAPH_AUDIENCE));
    },
    async atTheDoor(request) {
      const bearer = bearerOf(request);
      const address = addressOf(request);
      return principalOf(bearer === null ? nobody(address) : await identify(deps, bearer, address));
    },
    firstAdmin: () => makeFirstAdmin(deps),
  };
}

/** @throws SETUP_INCOMPLETE */
export function checkAccessSettings(settings: Settings): void {
  const { WEFT_AUTH: auth, WEFT_HOST: host, WEFT_OPERATOR_TOKEN: token } = settings;
  if (auth === 'off' && !isLoopbackHost(host)) {
    const detail = `WEFT_AUTH is off, which is for loopback addresses alone, and WEFT_HOST is ${host}: set WEFT_AUTH=required`;
    throw new AppError('SETUP_INCOMPLETE', { detail });
  }
  if (token !== null && token.length < LEAST_TOKEN_CHARACTERS) {
    const detail = `WEFT_OPERATOR_TOKEN has fewer than ${LEAST_TOKEN_CHARACTERS} characters`;
    throw new AppError('SETUP_INCOMPLETE', { detail });
  }
}

export const isLoopbackHost = (host: string): boolean => /^(127(\.\d{1,3}){3}|localhost|::1|\[::1\])$/.test(host);

export function addressOf(request: Request): string | null {
  return request.ip?.replace(/^::ffff:/, '') ?? null;
}

/** Null when there is none. @throws UNAUTHENTICATED for another kind of credentials */
export function bearerOf(request: Request): string | null {
  const given = request.get('authorization');
  if (given === undefined) return null;
  const token = /^Bearer ([\x21-\x7e]{1,4096})$/i.exec(given)?.[1];
  if (token === undefined) throw refused('`Authorization` must be `Bearer ` and a token');
  return token;
}
