import { isDeepStrictEqual, promisify } from 'node:util';
import { deflateRaw, inflateRaw } from 'node:zlib';
import type pg from 'pg';
import { payloadHash } from '../../domain/identifiers.ts';
import type { RunState } from '../../domain/runs/run-state.ts';
import { ENGINE_VERSION } from './engine-version.ts';
import { createPayloadStore, type Queryable } from './payload-store.ts';

const compress = promisify(deflateRaw);
const decompress = promisify(inflateRaw);
/** Little work for most of the gain. */
const COMPRESSION = { level: 2 };

export type RunSnapshot = { sequence: number; definitionHash: string; state: RunState };

/** The latest one up to an event that this code has made; null when there is none, or its bytes are gone or were changed. */
export async function readSnapshot(pool: pg.Pool, runId: string, upTo: number): Promise<RunSnapshot | null> {
  const { rows } = await pool.query<{ sequence: number; definition_hash: string; state: { $payload: string } }>({
    name: 'read-snapshot',
    text: `SELECT sequence, definition_hash, state FROM run_snapshots
           WHERE run_id = $1 AND sequence <= $2 AND engine = $3 ORDER BY sequence DESC LIMIT 1`,
    values: [runId, Math.min(upTo, 2 ** 31 - 1), ENGINE_VERSION],
  });
  const row = rows[0];
  if (row === undefined) return null;
  const hash = payloadHash(row.state.$payload);
  const store = createPayloadStore(pool);
  const bytes = (await store.get([hash])).get(hash);
  if (bytes === undefined || store.address(bytes) !== hash) return null;
  const state = JSON.parse((await decompress(bytes)).toString()) as RunState;
  return { sequence: row.sequence, definitionHash: row.definition_hash, state };
}

/** False for a state that JSON would not give back as it is. */
export async function writeSnapshot(pool: pg.Pool, runId: string, snapshot: RunSnapshot): Promise<boolean> {
  const text = JSON.stringify(snapshot.state);
  if (!isDeepStrictEqual(JSON.parse(text), snapshot.state)) return false;
  const store = createPayloadStore(pool);
  const bytes = await compress(text, COMPRESSION);
  const hash = store.address(bytes);
  await store.put(new Map([[hash, bytes]]));
  await pool.query(
    `INSERT INTO run_snapshots AS stored (tenant_id, run_id, sequence, engine, definition_hash, state)
     SELECT tenant_id, id, $2, $3, $4, $5 FROM runs WHERE id = $1
     ON CONFLICT (run_id, sequence) DO UPDATE
     SET engine = excluded.engine, definition_hash = excluded.definition_hash, state = excluded.state, created_at = now()`,
    [
      runId,
      snapshot.sequence,
      ENGINE_VERSION,
      snapshot.definitionHash,
      JSON.stringify({ $payload: hash, bytes: bytes.length }),
    ],
  );
  return true;
}

/** Of runs that are gone, or whose values may go because they closed longer ago than the retention. */
export async function deleteExpiredSnapshots(db: Queryable, retentionMs: number | null): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM run_snapshots snapshot
     WHERE NOT EXISTS (SELECT FROM runs WHERE runs.id = snapshot.run_id
                       AND ($1::float8 IS NULL OR runs.closed_at IS NULL
                            OR runs.closed_at >= now() - $1 * interval '1 ms'))`,
    [retentionMs],
  );
  return rowCount ?? 0;
}

/** Of each run so many, and none that is older; null is no limit. */
export type SnapshotRetention = { keep: number | null; maxAgeMs: number | null };

/** Those of the beginning of a run go first. */
export async function pruneSnapshots(db: Queryable, { keep, maxAgeMs }: SnapshotRetention): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM run_snapshots snapshot USING (
       SELECT run_id, sequence, created_at, row_number() OVER (PARTITION BY run_id ORDER BY sequence DESC) AS place FROM run_snapshots
     ) AS kept
     WHERE kept.run_id = snapshot.run_id AND kept.sequence = snapshot.sequence
       AND (kept.place > $1 OR kept.created_at < now() - $2 * interval '1 ms')`,
    [keep, maxAgeMs],
  );
  return rowCount ?? 0;
}
