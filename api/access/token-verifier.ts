import { type AccessClaims, keyIdOf, type TokenIssuer, verifyAccessToken } from '../../adapters/tokens/access-token.ts';
import type { Jwk } from '../../adapters/tokens/signing-keys.ts';
import type { SigningKeys } from './signing-keys.ts';

type Verified = AccessClaims & { exp: number };
/** @throws UNAUTHENTICATED */
export type TokenVerifier = (token: string) => Promise<Verified>;

const MOST_KNOWN = 10_000;

/** Checks the signature of a token once for each set of keys; whether its session is open is asked elsewhere, each time. */
export function createTokenVerifier(signingKeys: Pick<SigningKeys, 'publicKeys'>, issuer: TokenIssuer): TokenVerifier {
  const known = new Map<string, { claims: Verified; keys: readonly Jwk[] }>();
  return async (token) => {
    const before = known.get(token);
    const keys = await signingKeys.publicKeys(keyIdOf(token));
    if (before?.keys === keys && before.claims.exp * 1000 > Date.now()) return before.claims;
    known.delete(token);
    const claims = await verifyAccessToken(token, keys, issuer);
    known.set(token, { claims, keys });
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value as string);
    return claims;
  };
}
