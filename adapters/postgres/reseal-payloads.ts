import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import type { PayloadHash } from '../../domain/identifiers.ts';
import { openBytes, sealBytes } from '../encryption/sealed-bytes.ts';
import { storageOf } from './payload-storage.ts';
import { inTransaction } from './transaction.ts';

export type KeyUse = { keyId: string | null; payloads: number; bytes: number };

const BATCH = 50;

/** How many stored payloads need each key; null is for those that are not encrypted. */
export async function listKeyUse(pool: pg.Pool): Promise<KeyUse[]> {
  const { rows } = await pool.query<KeyUse>(
    `SELECT key_id AS "keyId", count(*)::int AS payloads, sum(size)::float8 AS bytes FROM payloads GROUP BY key_id ORDER BY key_id`,
  );
  return rows;
}

/**
 * Encrypts anew, under the current key, what is stored under an older one or none. Addresses stay, so all pointers hold.
 * @throws AppError SETUP_INCOMPLETE without a key
 */
export async function resealPayloads(pool: pg.Pool): Promise<{ resealed: number }> {
  const { cipher } = storageOf(pool);
  if (cipher === null) throw new AppError('SETUP_INCOMPLETE', { detail: 'WEFT_ENCRYPTION_KEYS is not set' });
  for (let resealed = 0, after = ''; ;) {
    const { rows } = await pool.query<{ hash: PayloadHash }>(
      `SELECT hash FROM payloads WHERE hash > $1 AND stored AND key_id IS DISTINCT FROM $2 ORDER BY hash LIMIT ${BATCH}`,
      [after, cipher.keyId],
    );
    const last = rows.at(-1);
    if (!last) return { resealed };
    for (const { hash } of rows) if (await resealOne(pool, hash)) resealed += 1;
    after = last.hash;
  }
}

/** The row is locked meanwhile, so that nobody removes or writes its bytes. */
async function resealOne(pool: pg.Pool, hash: PayloadHash): Promise<boolean> {
  const { cipher, bodies } = storageOf(pool);
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ bytes: Buffer | null }>(
      'SELECT bytes FROM payloads WHERE hash = $1 AND stored AND key_id IS DISTINCT FROM $2 FOR UPDATE',
      [hash, cipher?.keyId],
    );
    const [row] = rows;
    const stored = row && (row.bytes ?? (await bodies?.read(hash)));
    if (!stored || !cipher) return false;
    const sealed = sealBytes(cipher, hash, openBytes(cipher, hash, stored));
    if (row.bytes === null) await bodies?.write(hash, sealed);
    await client.query(`UPDATE payloads SET key_id = $2, size = $3, bytes = $4::bytea WHERE hash = $1`, [
      hash,
      cipher.keyId,
      sealed.byteLength,
      row.bytes === null ? null : Buffer.from(sealed),
    ]);
    return true;
  });
}
