import type { createPool } from '../../adapters/postgres/pool.ts';
import type { RateLimiter } from '../../adapters/rate-limits/rate-limiter.ts';
import type { Settings } from '../../config/settings.ts';
import type { SecretBox } from '../../temporal/secret-box.ts';
import type { SigningKeys } from './signing-keys.ts';
import type { TokenVerifier } from './token-verifier.ts';

/** What the operations of this room work on. */
export type AccessDeps = {
  /** Sees every tenant: whoever signs in has none yet. */
  pool: ReturnType<typeof createPool>;
  settings: Pick<
    Settings,
    | 'WEFT_ACCESS_TOKEN_SECONDS'
    | 'WEFT_REFRESH_TOKEN_DAYS'
    | 'WEFT_API_KEY_DAYS'
    | 'WEFT_OPERATOR_TOKEN'
    | 'WEFT_TOKEN_ISSUER'
  >;
  secrets: SecretBox;
  signingKeys: SigningKeys;
  verifyToken: TokenVerifier;
  /** Of attempts to sign in, by account and by address. */
  signInLimiter: RateLimiter;
  log: { info: (fields: Record<string, unknown>, message: string) => void };
};
