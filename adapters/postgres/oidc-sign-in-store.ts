import type pg from 'pg';

export type OidcSignIn = { tenantId: string; secret: string; returnTo: string | null };

export async function insertOidcSignIn(
  pool: pg.Pool,
  stateHash: Buffer,
  { tenantId, secret, returnTo }: OidcSignIn,
  expiresAt: Date,
): Promise<void> {
  await pool.query(
    'INSERT INTO oidc_sign_ins (state_hash, tenant_id, secret, return_to, expires_at) VALUES ($1, $2, $3, $4, $5)',
    [stateHash, tenantId, secret, returnTo, expiresAt],
  );
}

/** Once. */
export async function takeOidcSignIn(pool: pg.Pool, stateHash: Buffer): Promise<OidcSignIn | undefined> {
  const { rows } = await pool.query<OidcSignIn & { live: boolean }>(
    `DELETE FROM oidc_sign_ins WHERE state_hash = $1
     RETURNING tenant_id AS "tenantId", secret, return_to AS "returnTo", expires_at > now() AS live`,
    [stateHash],
  );
  return rows[0]?.live ? rows[0] : undefined;
}
