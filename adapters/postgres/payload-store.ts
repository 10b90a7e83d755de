import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import { payloadHash, type PayloadHash } from '../../domain/identifiers.ts';
import type { PayloadBodies, PayloadStore } from '../../domain/runs/payload-store.ts';
import { keyIdOf, openBytes, sealBytes } from '../encryption/sealed-bytes.ts';
import { addressOf, storageOf } from './payload-storage.ts';

export type Queryable = Pick<pg.Pool, 'query'> | Pick<pg.PoolClient, 'query'>;

/** A put renews a payload that was last put longer ago than this; what was put since need not be put again. */
export const RENEW_MS = 3_600_000;
const BODIES_AT_ONCE = 8;

/** Keeps payloads as the pool that `db` is, or comes from, was told to. */
export function createPayloadStore(db: Queryable): PayloadStore {
  const storage = storageOf(db);
  const { cipher, bodies, writesTo } = storage;
  return {
    cipher,
    address: (bytes) => addressOf(storage, bytes),
    async put(payloads) {
      if (payloads.size === 0) return;
      // Sorted, so that two writers of overlapping sets never wait for each other in a circle.
      const rows = [...payloads].sort(([left], [right]) => (left < right ? -1 : 1));
      const sealed = rows.map(([hash, bytes]) => [hash, cipher ? sealBytes(cipher, hash, bytes) : bytes] as const);
      await (bodies && writesTo === 'bodies' ? putBodies(db, bodies, sealed) : putRows(db, sealed));
    },
    async get(hashes) {
      if (hashes.length === 0) return new Map<PayloadHash, Uint8Array>();
      const stored = await readStored(db, bodies, hashes);
      return new Map(stored.map(([hash, bytes]) => [hash, openBytes(cipher, hash, bytes)]));
    },
  };
}

type Sealed = readonly (readonly [PayloadHash, Uint8Array])[];

const RENEW = `used_at = now(), unreferenced_since = NULL`;
const IS_STALE = `stored.used_at < now() - interval '${RENEW_MS} milliseconds' OR stored.unreferenced_since IS NOT NULL`;

async function putRows(db: Queryable, sealed: Sealed): Promise<void> {
  await db.query(
    `INSERT INTO payloads AS stored (hash, bytes, size, key_id)
     SELECT hash, bytes, length(bytes), key_id FROM unnest($1::text[], $2::bytea[], $3::text[]) AS payload(hash, bytes, key_id)
     ON CONFLICT (hash) DO UPDATE
     SET bytes = excluded.bytes, location = NULL, stored = true, size = excluded.size, key_id = excluded.key_id, ${RENEW}
     WHERE ${IS_STALE} OR stored.bytes IS NULL`,
    [
      sealed.map(([hash]) => hash),
      sealed.map(([, bytes]) => Buffer.from(bytes)),
      sealed.map(([, bytes]) => keyIdOf(bytes)),
    ],
  );
}

/** The row comes first: from then on nobody removes the bytes. It says `stored` when they are there. */
async function putBodies(db: Queryable, bodies: PayloadBodies, sealed: Sealed): Promise<void> {
  const hashes = sealed.map(([hash]) => hash);
  await db.query(
    `INSERT INTO payloads AS stored (hash, location, stored, size, key_id)
     SELECT hash, $4, false, size, key_id FROM unnest($1::text[], $2::int[], $3::text[]) AS payload(hash, size, key_id)
     ON CONFLICT (hash) DO UPDATE SET ${RENEW} WHERE ${IS_STALE}`,
    [hashes, sealed.map(([, bytes]) => bytes.byteLength), sealed.map(([, bytes]) => keyIdOf(bytes)), bodies.location],
  );
  const { rows } = await db.query<{ hash: string }>('SELECT hash FROM payloads WHERE hash = ANY($1) AND stored', [
    hashes,
  ]);
  const there = new Set(rows.map((row) => row.hash));
  const missing = sealed.filter(([hash]) => !there.has(hash));
  if (missing.length === 0) return;
  await inSlices(missing, ([hash, bytes]) => bodies.write(hash, bytes));
  await db.query(
    `UPDATE payloads SET stored = true, location = $2, size = change.size, key_id = change.key_id
     FROM unnest($1::text[], $3::int[], $4::text[]) AS change(hash, size, key_id)
     WHERE payloads.hash = change.hash AND NOT stored`,
    [
      missing.map(([hash]) => hash),
      bodies.location,
      missing.map(([, bytes]) => bytes.byteLength),
      missing.map(([, bytes]) => keyIdOf(bytes)),
    ],
  );
}

async function readStored(
  db: Queryable,
  bodies: PayloadBodies | null,
  hashes: readonly PayloadHash[],
): Promise<[PayloadHash, Uint8Array][]> {
  const { rows } = await db.query<{ hash: string; bytes: Buffer | null; location: string | null }>(
    'SELECT hash, bytes, location FROM payloads WHERE hash = ANY($1)',
    [hashes],
  );
  const found = await inSlices(rows, async ({ hash, bytes, location }) => {
    if (bytes === null && bodies === null) {
      const detail = `payload ${hash} lies at ${location}: set WEFT_S3_BUCKET and what else docs/payloads.md names`;
      throw new AppError('SETUP_INCOMPLETE', { detail });
    }
    return [payloadHash(hash), bytes ?? (await bodies?.read(payloadHash(hash)))] as const;
  });
  return found.flatMap(([hash, bytes]) => (bytes ? [[hash, bytes] satisfies [PayloadHash, Uint8Array]] : []));
}

async function inSlices<Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += BODIES_AT_ONCE) {
    results.push(...(await Promise.all(items.slice(start, start + BODIES_AT_ONCE).map(work))));
  }
  return results;
}
