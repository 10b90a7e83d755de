import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import { ALGORITHM } from './access-token.ts';

/** A key as JSON (RFC 7517). */
export type Jwk = JWK;
export type PrivateKey = CryptoKey;
export type NewSigningKey = { id: string; publicJwk: Jwk; privateJwk: Jwk };

/** An Ed25519 pair, named by its thumbprint (RFC 7638). */
export async function generateSigningKey(): Promise<NewSigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, { extractable: true });
  const publicJwk = await exportJWK(publicKey);
  const id = await calculateJwkThumbprint(publicJwk);
  return {
    id,
    publicJwk: { ...publicJwk, kid: id, alg: ALGORITHM, use: 'sig' },
    privateJwk: await exportJWK(privateKey),
  };
}

export async function importSigningKey(privateJwk: JWK): Promise<CryptoKey> {
  return (await importJWK(privateJwk, ALGORITHM)) as CryptoKey;
}
