import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { isPermission, type Permission } from '../../domain/access/permission.ts';
import { AppError } from '../../domain/errors.ts';
import { ALGORITHM, tokenRefused } from './access-token.ts';

/** Who asks, as one of our processes says it to another. */
export type Identity = {
  tenantId: string;
  /** Name of the account; null where nobody signed in. */
  subject: string | null;
  userId: string | null;
  kind: 'USER' | 'SERVICE' | 'OPERATOR' | 'NOBODY';
  roles: readonly string[];
  permissions: readonly Permission[];
  sessionId: string | null;
  keyId: string | null;
  mustChangePassword: boolean;
  /** Network address of the client. */
  address: string | null;
};

/** Signs and reads identities with keys that follow from WEFT_SECRET_KEY, which our processes share. */
export type InternalTokens = {
  sign(identity: Identity, audience: string): Promise<string>;
  /** @throws UNAUTHENTICATED */
  verify(token: string, audience: string): Promise<Identity>;
};

const TYPE = 'weft-internal+jwt';
const ISSUER = 'weft';
const SECONDS = 60;
/** PKCS #8 of an Ed25519 key, up to its 32 bytes. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** The first secret signs, all verify. @throws SETUP_INCOMPLETE */
export function createInternalTokens(secrets: readonly string[]): InternalTokens {
  const keys = secrets.map(keyOf);
  const [first] = keys;
  if (!first) {
    const detail = 'WEFT_AUTH is required, so set WEFT_SECRET_KEY, the same for every process (`openssl rand -hex 32`)';
    throw new AppError('SETUP_INCOMPLETE', { detail });
  }
  return {
    sign: (identity, audience) =>
      new SignJWT({ identity })
        .setProtectedHeader({ alg: ALGORITHM, typ: TYPE })
        .setIssuer(ISSUER)
        .setAudience(audience)
        .setIssuedAt()
        .setExpirationTime(`${SECONDS}s`)
        .sign(first.privateKey),
    async verify(token, audience) {
      let refusal: unknown;
      for (const { publicKey } of keys) {
        try {
          const { payload } = await jwtVerify<{ identity: Identity }>(token, publicKey, {
            algorithms: [ALGORITHM],
            typ: TYPE,
            issuer: ISSUER,
            audience,
            clockTolerance: 5,
            requiredClaims: ['exp', 'iat', 'identity'],
          });
          const { identity } = payload;
          return { ...identity, permissions: identity.permissions.filter(isPermission) };
        } catch (error) {
          refusal = error;
        }
      }
      throw tokenRefused(refusal);
    },
  };
}

function keyOf(secret: string): { privateKey: KeyObject; publicKey: KeyObject } {
  const seed = Buffer.from(hkdfSync('sha256', secret, 'weft', 'internal identity', 32));
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  const privateKey = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}
