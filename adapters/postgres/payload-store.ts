import type pg from 'pg';
import { payloadHash, type PayloadHash } from '../../domain/identifiers.ts';
import type { PayloadStore } from '../../domain/runs/payload-store.ts';

export type Queryable = Pick<pg.Pool, 'query'> | Pick<pg.PoolClient, 'query'>;

export function createPayloadStore(pool: Queryable): PayloadStore {
  return {
    async put(payloads) {
      if (payloads.size === 0) return;
      // Sorted, so that two writers of overlapping sets never wait for each other in a circle.
      const rows = [...payloads].sort(([left], [right]) => (left < right ? -1 : 1));
      await pool.query(
        `INSERT INTO payloads (hash, bytes) SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT DO NOTHING`,
        [rows.map(([hash]) => hash), rows.map(([, bytes]) => Buffer.from(bytes))],
      );
    },
    async get(hashes) {
      if (hashes.length === 0) return new Map<PayloadHash, Uint8Array>();
      const { rows } = await pool.query<{ hash: string; bytes: Buffer }>(
        'SELECT hash, bytes FROM payloads WHERE hash = ANY($1)',
        [hashes],
      );
      return new Map(rows.map((row) => [payloadHash(row.hash), row.bytes]));
    },
  };
}
