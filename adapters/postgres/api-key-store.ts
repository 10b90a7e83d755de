import type pg from 'pg';
import type { ApiKey } from '../../domain/access/account.ts';
import { tenantId, type TenantId } from '../../domain/identifiers.ts';

type Row = {
  tenant_id: string;
  id: string;
  user_id: string;
  name: string;
  secret_hash: Buffer;
  scopes: string[] | null;
  expires_at: Date;
  revoked_at: Date | null;
  used_at: Date | null;
  created_at: Date;
};

export type NewApiKey = Pick<ApiKey, 'tenantId' | 'id' | 'userId' | 'name' | 'scopes' | 'expiresAt'> & {
  secretHash: Buffer;
};

export async function insertApiKey(client: pg.ClientBase, key: NewApiKey): Promise<ApiKey> {
  const { rows } = await client.query<Row>(
    `INSERT INTO api_keys (tenant_id, id, user_id, name, secret_hash, scopes, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING *`,
    [key.tenantId, key.id, key.userId, key.name, key.secretHash, key.scopes, key.expiresAt],
  );
  return fromRow(rows[0] as Row);
}

/** Of all tenants: its id is the only thing known of whoever shows it. */
export async function findApiKey(pool: pg.Pool, id: string): Promise<{ key: ApiKey; secretHash: Buffer } | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM api_keys WHERE id = $1', [id]);
  return rows[0] && { key: fromRow(rows[0]), secretHash: rows[0].secret_hash };
}

export async function readApiKey(pool: pg.Pool, tenant: TenantId, id: string): Promise<ApiKey | undefined> {
  const { rows } = await pool.query<Row>('SELECT * FROM api_keys WHERE tenant_id = $1 AND id = $2', [tenant, id]);
  return rows[0] && fromRow(rows[0]);
}

/** Newest first; of one user, or of all. */
export async function listApiKeys(pool: pg.Pool, tenant: TenantId, userId: string | null): Promise<ApiKey[]> {
  const { rows } = await pool.query<Row>(
    `SELECT * FROM api_keys WHERE tenant_id = $1 AND ($2::text IS NULL OR user_id = $2)
     ORDER BY created_at DESC, id LIMIT 1000`,
    [tenant, userId],
  );
  return rows.map(fromRow);
}

/** Undefined when there is none. */
export async function revokeApiKey(client: pg.ClientBase, tenant: TenantId, id: string): Promise<ApiKey | undefined> {
  const { rows } = await client.query<Row>(
    `UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE tenant_id = $1 AND id = $2 RETURNING *`,
    [tenant, id],
  );
  return rows[0] && fromRow(rows[0]);
}

/** To the minute, so that a busy key is not a row that everybody writes. */
export async function noteKeyUse(pool: pg.Pool, id: string): Promise<void> {
  await pool.query(
    `UPDATE api_keys SET used_at = now() WHERE id = $1 AND (used_at IS NULL OR used_at < now() - interval '1 minute')`,
    [id],
  );
}

const fromRow = (row: Row): ApiKey => ({
  tenantId: tenantId(row.tenant_id),
  id: row.id,
  userId: row.user_id,
  name: row.name,
  scopes: row.scopes,
  expiresAt: row.expires_at,
  revokedAt: row.revoked_at,
  usedAt: row.used_at,
  createdAt: row.created_at,
});
