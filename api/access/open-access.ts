import type { Request } from 'express';
import type { Logger } from 'pino';
import { createMemoryRateLimiter } from '../../adapters/rate-limits/rate-limiter.ts';
import { createRedisRateLimiter } from '../../adapters/rate-limits/redis-rate-limiter.ts';
import { createInternalTokens, type InternalTokens } from '../../adapters/tokens/internal-token.ts';
import type { Settings } from '../../config/settings.ts';
import { AppError } from '../../domain/errors.ts';
import type { SecretBox } from '../../temporal/secret-box.ts';
import { checkLocal, isLoopbackHost } from './check-local.ts';
import type { AccessDeps } from './deps.ts';
import { type FirstAdmin, makeFirstAdmin } from './first-admin.ts';
import { identify, refused, tokenIssuer } from './identify.ts';
import { type OperationWatch, watchOperations } from './limit-requests.ts';
import { createOidcSignIns, type OidcSignIns } from './oidc-sign-in.ts';
import { LOCAL_PRINCIPAL, nobody, type Principal, principalOf } from './principal.ts';
import { createSigningKeys } from './signing-keys.ts';
import { createTokenVerifier } from './token-verifier.ts';

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
  /** Null where no OpenID provider is set. */
  oidc: OidcSignIns | null;
  /** Of web pages that may use the API. */
  origins: readonly string[];
  firstAdmin(): Promise<FirstAdmin | null>;
  /** Undefined where nobody has to sign in. */
  watch: OperationWatch | undefined;
  close(): Promise<void>;
};

export type AccessParts = { settings: Settings; pool: AccessDeps['pool']; secrets: SecretBox; log: Logger };

/** @throws SETUP_INCOMPLETE */
export function openAccess({ settings, pool, secrets, log }: AccessParts): Access {
  checkAccessSettings(settings);
  const signingKeys = createSigningKeys(pool, secrets);
  const verifyToken = createTokenVerifier(signingKeys, tokenIssuer({ settings }));
  const common = { pool, settings, secrets, log, signingKeys, verifyToken };
  const local = (request: Request) => {
    checkLocal(request, settings.WEFT_CORS_ORIGINS);
    return { ...LOCAL_PRINCIPAL, address: addressOf(request) };
  };
  if (settings.WEFT_AUTH === 'off') {
    const atTheDoor = async (request: Request) => local(request);
    const deps: AccessDeps = { ...common, signInLimiter: createMemoryRateLimiter() };
    return {
      deps,
      oidc: null,
      origins: settings.WEFT_CORS_ORIGINS,
      internal: null,
      behindGateway: atTheDoor,
      atTheDoor,
      firstAdmin: async () => null,
      watch: undefined,
      close: async () => undefined,
    };
  }
  const internal = createInternalTokens(settings.WEFT_SECRET_KEY);
  const redis =
    settings.REDIS_URL === null
      ? null
      : createRedisRateLimiter(settings.REDIS_URL, (error) =>
          log.warn({ err: error }, 'Redis does not count requests'),
        );
  const limiter = redis ?? createMemoryRateLimiter();
  const deps: AccessDeps = { ...common, signInLimiter: limiter };
  const publicUrl = settings.WEFT_PUBLIC_URL ?? `http://${settings.WEFT_HOST}:${settings.PORT}`;
  const rate = { perMinute: settings.RATE_LIMIT_PER_MINUTE, burst: settings.RATE_LIMIT_BURST };
  return {
    deps,
    watch: watchOperations(deps, limiter, () => rate),
    close: async () => redis?.close(),
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
    oidc: createOidcSignIns(deps, settings, publicUrl),
    origins: settings.WEFT_CORS_ORIGINS,
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
