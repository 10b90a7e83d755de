import { type CryptoKey, errors, type JWK, createLocalJWKSet, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose';
import { AppError } from '../../domain/errors.ts';

/** The one algorithm: a token that names another is refused before its key is looked for. */
export const ALGORITHM = 'EdDSA';
const TYPE = 'at+jwt';
const CLOCK_TOLERANCE_SECONDS = 5;

/** What an access token says of who shows it. */
export type AccessClaims = {
  tenant: string;
  sub: string;
  name: string;
  roles: readonly string[];
  kind: 'USER' | 'SERVICE';
  /** Of the session that it belongs to. */
  sid: string;
  /** Set while the password has to be changed first: then it opens nothing else. */
  mustChangePassword?: true;
};

export type TokenIssuer = { issuer: string; audience: string };
export type SigningKey = { id: string; key: CryptoKey };

export async function signAccessToken(
  { id, key }: SigningKey,
  { issuer, audience }: TokenIssuer,
  { sub, ...claims }: AccessClaims,
  seconds: number,
): Promise<string> {
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: id, typ: TYPE })
    .setIssuer(issuer)
    .setAudience(audience)
    .setSubject(sub)
    .setIssuedAt()
    .setExpirationTime(`${seconds}s`)
    .setJti(crypto.randomUUID())
    .sign(key);
}

/** Importing a key costs more than checking a signature by it. */
const keySets = new WeakMap<readonly JWK[], ReturnType<typeof createLocalJWKSet>>();

function keySetOf(keys: readonly JWK[]): ReturnType<typeof createLocalJWKSet> {
  const known = keySets.get(keys) ?? createLocalJWKSet({ keys: [...keys] });
  keySets.set(keys, known);
  return known;
}

/**
 * Keys come from `keys` alone, never from the token (`jku`, `jwk`, `x5u` are not read).
 * @throws UNAUTHENTICATED
 */
export async function verifyAccessToken(
  token: string,
  keys: readonly JWK[],
  { issuer, audience }: TokenIssuer,
): Promise<AccessClaims & { exp: number }> {
  try {
    const { payload } = await jwtVerify<AccessClaims>(token, keySetOf(keys), {
      algorithms: [ALGORITHM],
      issuer,
      audience,
      typ: TYPE,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ['sub', 'exp', 'iat', 'jti', 'tenant', 'sid', 'roles', 'kind'],
    });
    return payload as AccessClaims & { exp: number };
  } catch (error) {
    throw tokenRefused(error);
  }
}

export function tokenRefused(error: unknown): AppError {
  const detail = error instanceof errors.JWTExpired ? 'the token has expired' : 'the token is not valid';
  return new AppError('UNAUTHENTICATED', { detail }, error);
}

/** The id of the key that a token says it was signed with; undefined when it is no token. */
export function keyIdOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid;
  } catch {
    return undefined;
  }
}
