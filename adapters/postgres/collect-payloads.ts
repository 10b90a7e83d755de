import type pg from 'pg';
import type { PayloadHash } from '../../domain/identifiers.ts';
import type { PayloadBodies } from '../../domain/runs/payload-store.ts';
import { deleteExpiredEffects } from './effect-store.ts';
import { markReferenced } from './mark-payloads.ts';
import { storageOf } from './payload-storage.ts';
import { deleteExpiredSnapshots } from './run-snapshots.ts';
import { inTransaction } from './transaction.ts';

export type CollectOptions = {
  /** How long a payload must have been neither put nor pointed at. Longer than any way from a put to the pointer. */
  graceMs: number;
  /** Pointers of runs that ended longer ago do not count; null counts all. */
  retentionMs: number | null;
  /** Says what would be deleted, and changes nothing. */
  dryRun: boolean;
  /** What others hold: Temporal's histories. */
  held: AsyncIterable<PayloadHash>;
};

export type Collected = {
  payloads: number;
  referenced: number;
  /** Nothing points at them; those beyond the grace are deleted. */
  unreferenced: number;
  deleted: number;
  deletedBytes: number;
  /** Objects of the bucket that no row knew. */
  strayObjects: number;
};

const LOCK = `hashtextextended('weft payload collection', 0)`;
const BATCH = 500;
const UNUSED = `unreferenced_since <= now() - $1 * interval '1 ms' AND used_at <= now() - $1 * interval '1 ms'`;

/**
 * Deletes payloads that nothing has pointed at for the whole grace. Each is locked and looked at again before it goes: a put
 * renews it, so that whoever puts the same bytes meanwhile either keeps the row or makes a new one afterwards.
 * Null when another process is at it.
 */
export async function collectPayloads(pool: pg.Pool, options: CollectOptions): Promise<Collected | null> {
  const client = await pool.connect();
  try {
    const { rows } = await client.query<{ locked: boolean }>(`SELECT pg_try_advisory_lock(${LOCK}) AS locked`);
    if (!rows[0]?.locked) return null;
    try {
      return await collect(pool, client, options);
    } finally {
      await client.query(`DROP TABLE IF EXISTS payload_marks; SELECT pg_advisory_unlock(${LOCK})`);
    }
  } finally {
    // Takes lock and marks along, where they are left.
    client.release(true);
  }
}

async function collect(pool: pg.Pool, client: pg.PoolClient, options: CollectOptions): Promise<Collected> {
  const startedAt = new Date();
  const { graceMs, dryRun } = options;
  if (!dryRun) {
    await deleteExpiredSnapshots(client, options.retentionMs);
    await deleteExpiredEffects(client, options.retentionMs);
  }
  await markReferenced(client, options);
  const counts = await count(client);
  if (dryRun) return { ...counts, ...(await countUnused(client, graceMs)), strayObjects: 0 };
  await client.query(
    `UPDATE payloads SET unreferenced_since = NULL
     WHERE unreferenced_since IS NOT NULL AND hash IN (SELECT hash FROM payload_marks)`,
  );
  await client.query(
    `UPDATE payloads SET unreferenced_since = now()
     WHERE unreferenced_since IS NULL AND NOT EXISTS (SELECT FROM payload_marks mark WHERE mark.hash = payloads.hash)`,
  );
  const deleted = await deleteRows(client, graceMs);
  const { bodies } = storageOf(pool);
  if (bodies) {
    const removed = await deleteBodies(pool, bodies, graceMs);
    deleted.deleted += removed.deleted;
    deleted.deletedBytes += removed.deletedBytes;
  }
  const strayObjects = bodies ? await removeStrays(pool, bodies, graceMs) : 0;
  await client.query('INSERT INTO payload_collections VALUES ($1, now(), $2, $3, $4, $5)', [
    ...[startedAt, counts.referenced, counts.unreferenced],
    ...[deleted.deleted, deleted.deletedBytes],
  ]);
  return { ...counts, ...deleted, strayObjects };
}

type Deleted = Pick<Collected, 'deleted' | 'deletedBytes'>;

async function count(client: pg.PoolClient): Promise<Pick<Collected, 'payloads' | 'referenced' | 'unreferenced'>> {
  const { rows } = await client.query<{ payloads: number; referenced: number }>(
    `SELECT count(*)::int AS payloads, count(mark.hash)::int AS referenced
     FROM payloads LEFT JOIN payload_marks mark USING (hash)`,
  );
  const { payloads = 0, referenced = 0 } = rows[0] ?? {};
  return { payloads, referenced, unreferenced: payloads - referenced };
}

async function countUnused(client: pg.PoolClient, graceMs: number): Promise<Deleted> {
  const { rows } = await client.query<{ deleted: number; bytes: number }>(
    `SELECT count(*)::int AS deleted, coalesce(sum(size), 0)::float8 AS bytes FROM payloads
     WHERE ${UNUSED} AND NOT EXISTS (SELECT FROM payload_marks mark WHERE mark.hash = payloads.hash)`,
    [graceMs],
  );
  return { deleted: rows[0]?.deleted ?? 0, deletedBytes: rows[0]?.bytes ?? 0 };
}

async function deleteRows(client: pg.PoolClient, graceMs: number): Promise<Deleted> {
  const done: Deleted = { deleted: 0, deletedBytes: 0 };
  for (;;) {
    const { rows } = await client.query<{ size: number }>(
      `WITH unused AS (
         SELECT hash FROM payloads WHERE ${UNUSED} AND location IS NULL ORDER BY hash LIMIT ${BATCH} FOR UPDATE
       ) DELETE FROM payloads USING unused WHERE payloads.hash = unused.hash RETURNING size`,
      [graceMs],
    );
    add(done, rows);
    if (rows.length === 0) return done;
  }
}

/**
 * `stored` is false before an object goes, so that a crash after it leaves no row that promises an object. The row stays locked
 * until the object is gone: a put of the same bytes waits, and then writes them anew.
 */
async function deleteBodies(pool: pg.Pool, bodies: PayloadBodies, graceMs: number): Promise<Deleted> {
  const done: Deleted = { deleted: 0, deletedBytes: 0 };
  for (;;) {
    const claimed = await pool.query<{ hash: PayloadHash }>(
      `UPDATE payloads SET stored = false WHERE hash IN (
         SELECT hash FROM payloads WHERE ${UNUSED} AND location = $2 ORDER BY hash LIMIT ${BATCH} FOR UPDATE
       ) RETURNING hash`,
      [graceMs, bodies.location],
    );
    if (claimed.rows.length === 0) return done;
    await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ hash: PayloadHash; size: number }>(
        `SELECT hash, size FROM payloads WHERE hash = ANY($2) AND ${UNUSED} AND NOT stored ORDER BY hash FOR UPDATE`,
        [graceMs, claimed.rows.map(({ hash }) => hash)],
      );
      const hashes = rows.map(({ hash }) => hash);
      await bodies.remove(hashes);
      await client.query('DELETE FROM payloads WHERE hash = ANY($1)', [hashes]);
      add(done, rows);
    });
  }
}

/** Objects that a crash left without a row. A row is made, and with it the right to the object, until the object is gone. */
async function removeStrays(pool: pg.Pool, bodies: PayloadBodies, graceMs: number): Promise<number> {
  let removed = 0;
  const before = Date.now() - graceMs;
  const old: PayloadHash[] = [];
  const sweep = async () => {
    const hashes = old.splice(0);
    await inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ hash: PayloadHash }>(
        `INSERT INTO payloads (hash, location, stored, size) SELECT hash, $2, false, 0 FROM unnest($1::text[]) AS stray(hash)
         ON CONFLICT DO NOTHING RETURNING hash`,
        [hashes.toSorted(), bodies.location],
      );
      const strays = rows.map(({ hash }) => hash);
      if (strays.length > 0) await bodies.remove(strays);
      await client.query('DELETE FROM payloads WHERE hash = ANY($1)', [strays]);
      removed += strays.length;
    });
  };
  for await (const { hash, modifiedAt } of bodies.list()) {
    if (modifiedAt.getTime() < before) old.push(hash);
    if (old.length >= BATCH) await sweep();
  }
  if (old.length > 0) await sweep();
  return removed;
}

function add(done: Deleted, rows: readonly { size: number }[]): void {
  done.deleted += rows.length;
  for (const { size } of rows) done.deletedBytes += size;
}
