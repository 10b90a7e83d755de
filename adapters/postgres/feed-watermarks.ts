import type pg from 'pg';

/** Since when the namespace has to be looked through for these shards; null when some were never looked at. */
export async function readWatermark(pool: pg.Pool, namespace: string, shards: readonly number[]): Promise<Date | null> {
  const { rows } = await pool.query<{ known: number; until: Date | null }>(
    `SELECT count(*)::int AS known, min(listed_until) AS until FROM feed_watermarks
     WHERE namespace = $1 AND shard = ANY($2)`,
    [namespace, shards],
  );
  return rows[0]?.known === shards.length ? rows[0].until : null;
}

export async function moveWatermark(
  pool: pg.Pool,
  namespace: string,
  shards: readonly number[],
  until: Date,
): Promise<void> {
  await pool.query(
    `INSERT INTO feed_watermarks AS stored (namespace, shard, listed_until) SELECT $1, shard, $3 FROM unnest($2::int[]) AS shard
     ON CONFLICT (namespace, shard) DO UPDATE SET listed_until = greatest(stored.listed_until, excluded.listed_until)`,
    [namespace, shards, until],
  );
}
