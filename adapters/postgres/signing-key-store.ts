import type pg from 'pg';
import { inTransaction } from './transaction.ts';

export type SigningKeyRow<Jwk> = {
  id: string;
  publicJwk: Jwk;
  /** Sealed. */
  privateJwk: string;
  createdAt: Date;
  expiresAt: Date;
};

/** Those that may still have signed something valid, newest first. */
export async function readSigningKeys<Jwk>(client: pg.ClientBase | pg.Pool): Promise<SigningKeyRow<Jwk>[]> {
  const { rows } = await client.query<SigningKeyRow<Jwk>>(
    `SELECT id, public_jwk AS "publicJwk", private_jwk AS "privateJwk", created_at AS "createdAt", expires_at AS "expiresAt"
     FROM signing_keys WHERE expires_at > now() ORDER BY created_at DESC, id`,
  );
  return rows;
}

/** Adds what `make` gives unless another process has added one since: one at a time over all processes. */
export async function addSigningKey<Jwk>(
  pool: pg.Pool,
  isWanted: (keys: readonly SigningKeyRow<Jwk>[]) => boolean,
  make: () => Promise<Omit<SigningKeyRow<Jwk>, 'createdAt'>>,
): Promise<SigningKeyRow<Jwk>[]> {
  return inTransaction(pool, async (client) => {
    await client.query("SELECT pg_advisory_xact_lock(hashtext('weft.signing_keys'))");
    const keys = await readSigningKeys<Jwk>(client);
    if (!isWanted(keys)) return keys;
    const { id, publicJwk, privateJwk, expiresAt } = await make();
    await client.query('INSERT INTO signing_keys (id, public_jwk, private_jwk, expires_at) VALUES ($1, $2, $3, $4)', [
      id,
      JSON.stringify(publicJwk),
      privateJwk,
      expiresAt,
    ]);
    return readSigningKeys<Jwk>(client);
  });
}
