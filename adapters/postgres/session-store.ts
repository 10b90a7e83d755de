import type pg from 'pg';

export type Session = { tenantId: string; id: string; userId: string };
export type Rotation =
  { outcome: 'rotated'; session: Session } | { outcome: 'reused'; session: Session } | { outcome: 'refused' };

type Row = {
  tenant_id: string;
  id: string;
  user_id: string;
  current: boolean;
  used: boolean;
  over: boolean;
};

export async function insertSession(
  client: pg.ClientBase,
  session: Session,
  tokenHash: Buffer,
  expiresAt: Date,
): Promise<void> {
  await client.query(
    'INSERT INTO sessions (tenant_id, id, user_id, token_hash, expires_at) VALUES ($1, $2, $3, $4, $5)',
    [session.tenantId, session.id, session.userId, tokenHash, expiresAt],
  );
}

/** Takes a refresh token once. One that was taken before was copied by somebody: the whole session ends. */
export async function rotateSession(
  client: pg.ClientBase,
  id: string,
  tokenHash: Buffer,
  nextHash: Buffer,
): Promise<Rotation> {
  const { rows } = await client.query<Row>(
    `SELECT tenant_id, id, user_id, token_hash = $2 AS current, $2 = ANY (used_hashes) AS used,
            revoked_at IS NOT NULL OR expires_at < now() AS over
     FROM sessions WHERE id = $1 FOR UPDATE`,
    [id, tokenHash],
  );
  const [row] = rows;
  if (!row) return { outcome: 'refused' };
  const session: Session = { tenantId: row.tenant_id, id: row.id, userId: row.user_id };
  if (row.used && !row.over) {
    await endSession(client, session, 'a refresh token was used twice');
    return { outcome: 'reused', session };
  }
  if (!row.current || row.over) return { outcome: 'refused' };
  await client.query(
    'UPDATE sessions SET token_hash = $3, used_hashes = used_hashes || token_hash WHERE tenant_id = $1 AND id = $2',
    [session.tenantId, id, nextHash],
  );
  return { outcome: 'rotated', session };
}

export async function endSession(
  client: pg.ClientBase | pg.Pool,
  { tenantId, id }: Pick<Session, 'tenantId' | 'id'>,
  because: string,
): Promise<void> {
  await client.query(
    `UPDATE sessions SET revoked_at = now(), revoked_because = $3
     WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL`,
    [tenantId, id, because],
  );
}

/** Gives how many ended. */
export async function endSessionsOf(
  client: pg.ClientBase,
  tenantId: string,
  userId: string,
  because: string,
): Promise<number> {
  const { rowCount } = await client.query(
    `UPDATE sessions SET revoked_at = now(), revoked_because = $3
     WHERE tenant_id = $1 AND user_id = $2 AND revoked_at IS NULL`,
    [tenantId, userId, because],
  );
  return rowCount ?? 0;
}

export async function sessionIsOpen(pool: pg.Pool, tenantId: string, id: string): Promise<boolean> {
  const { rowCount } = await pool.query(
    'SELECT FROM sessions WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL AND expires_at > now()',
    [tenantId, id],
  );
  return rowCount === 1;
}

/** What nobody can use any more; a while longer, so that a copied refresh token is still known as one. Gives how many. */
export async function deleteOldSessions(pool: pg.Pool): Promise<number> {
  const { rowCount } = await pool.query("DELETE FROM sessions WHERE expires_at < now() - interval '7 days'");
  await pool.query('DELETE FROM oidc_sign_ins WHERE expires_at < now()');
  return rowCount ?? 0;
}
