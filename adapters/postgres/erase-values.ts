import type pg from 'pg';
import { AppError } from '../../domain/errors.ts';
import { ERASED } from '../encryption/sealed-values.ts';
import { markReferenced } from './mark-payloads.ts';
import { storageOf } from './payload-storage.ts';
import { inTransaction } from './transaction.ts';

/** Whose values: a subject's, or (null) everybody's in the tenant. */
export type Erasing = { tenantId: string; subject: string | null };
export type Erased = {
  keys: number;
  runs: number;
  /** Large values that were removed from the payload store. */
  payloads: number;
  /** Runs whose events were stored before they were sealed: these cannot be made unreadable. */
  unsealed: number;
  /** Histories of these runs are Temporal's to delete. */
  histories: { runId: string; temporalRunId: string }[];
};

/** Of tables that name runs: those that hold no values, and the events themselves, which the key erases. */
const KEPT = new Set([
  'events',
  'event_archives',
  'event_streams',
  'run_admissions',
  'run_hints',
  'run_checks',
  'runs',
]);
const POINTER = String.raw`"\$payload"\s*:\s*"([0-9a-f]{64})"`;
const LOCK = `hashtextextended('weft payload collection', 0)`;

/**
 * Makes values unreadable for good: the keys of the event store go, so that events, archives and backups of both are sealed for ever;
 * what is made of events is overwritten, snapshots and large values are removed. How runs went stays.
 * @throws AppError INPUT_INVALID while a run is open
 */
export async function eraseValues(pool: pg.Pool, erasing: Erasing): Promise<Erased> {
  const { tenantId, subject } = erasing;
  const { erased, hashes } = await inTransaction(pool, async (client) => {
    const runs = await closedRuns(client, erasing);
    const found = await pointersOf(client, runs);
    const unsealed = await countUnsealed(client, runs);
    const keys = await client.query(
      `UPDATE erasure_keys SET wrapped = NULL, erased_at = now(), subject = 'erased/' || id
       WHERE tenant_id = $1 AND ($2::text IS NULL OR subject = $2) AND erased_at IS NULL`,
      [tenantId, subject],
    );
    const histories = await client.query<{ runId: string; temporalRunId: string }>(
      `SELECT run_id AS "runId", temporal_run_id AS "temporalRunId" FROM event_streams
       WHERE run_id = ANY($1) AND temporal_run_id IS NOT NULL ORDER BY run_id, sequence_base`,
      [runs],
    );
    for (const table of await tablesOfRuns(client)) await overwrite(client, table, runs);
    await overwriteRuns(client, runs);
    // Which run the text of an error is of is not known there.
    await client.query('UPDATE service_calls SET last_error = NULL WHERE tenant_id = $1', [tenantId]);
    await client.query(`DELETE FROM run_snapshots WHERE run_id = ANY($1)`, [runs]);
    const counts = { keys: keys.rowCount ?? 0, runs: runs.length, unsealed, histories: histories.rows };
    return { erased: counts, hashes: found };
  });
  return { ...erased, payloads: await removePayloads(pool, hashes) };
}

async function closedRuns(client: pg.PoolClient, { tenantId, subject }: Erasing): Promise<string[]> {
  const { rows } = await client.query<{ id: string; open: boolean }>(
    `SELECT id, closed_at IS NULL AS open FROM runs WHERE tenant_id = $1 AND ($2::text IS NULL OR subject = $2)
     ORDER BY id FOR UPDATE`,
    [tenantId, subject],
  );
  const open = rows.filter((row) => row.open);
  if (open.length > 0) {
    const detail = `${open.length} runs are open, the first is ${open[0]?.id}: cancel or terminate them before`;
    throw new AppError('INPUT_INVALID', { detail });
  }
  return rows.map(({ id }) => id);
}

async function countUnsealed(client: pg.PoolClient, runs: readonly string[]): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    'SELECT count(DISTINCT run_id)::int AS count FROM event_streams WHERE run_id = ANY($1) AND version > 0 AND NOT sealed',
    [runs],
  );
  return rows[0]?.count ?? 0;
}

type Column = { name: string; kind: 'json' | 'jsonb' | 'tsvector' };
type Table = { table: string; columns: Column[] };

/** Whatever there is: a table that comes later is not forgotten. */
async function tablesOfRuns(client: pg.PoolClient): Promise<Table[]> {
  const { rows } = await client.query<Table>(
    `SELECT class.relname AS table, json_agg(json_build_object('name', attname, 'kind', typname)) AS columns
     FROM pg_class class JOIN pg_attribute attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
     JOIN pg_type type ON type.oid = atttypid
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
       AND typname IN ('json', 'jsonb', 'tsvector') AND attgenerated = ''
       AND EXISTS (SELECT FROM pg_attribute one WHERE one.attrelid = class.oid AND one.attname = 'run_id' AND NOT attisdropped)
     GROUP BY class.relname`,
  );
  return rows.filter(({ table }) => !KEPT.has(table));
}

async function overwrite(client: pg.PoolClient, { table, columns }: Table, runs: readonly string[]): Promise<void> {
  const changes = columns.map(({ name, kind }) => `"${name}" = ${overwritten(name, kind)}`);
  await client.query(`UPDATE "${table}" SET ${changes.join(', ')} WHERE run_id = ANY($1)`, [runs]);
}

/** Errors keep their shape, which readers rely on. */
function overwritten(name: string, kind: Column['kind']): string {
  if (kind === 'tsvector') return `''::tsvector`;
  const column = `"${name}"`;
  const nothing = `${column} IS NULL OR ${column}::text = 'null'`;
  const error = `json_build_object('code', ${column}->>'code', 'message', '${ERASED}', 'nodeId', ${column}->>'nodeId', 'hint', NULL)`;
  const value = name.endsWith('error') ? error : `to_json('${ERASED}'::text)`;
  return `CASE WHEN ${nothing} THEN ${column} ELSE ${value}::${kind} END`;
}

async function overwriteRuns(client: pg.PoolClient, runs: readonly string[]): Promise<void> {
  await client.query(
    `UPDATE runs SET input = ${overwritten('input', 'json')}, output = ${overwritten('output', 'json')},
       error = ${overwritten('error', 'json')}, labels = '{}', seed = NULL, paused = NULL, idempotency_key = NULL,
       rerun = CASE WHEN rerun IS NULL THEN NULL ELSE jsonb_set(rerun::jsonb, '{patches}', '{}')::json END,
       subject = 'erased' WHERE id = ANY($1)`,
    [runs],
  );
  await client.query('UPDATE emitted_events SET correlation = NULL WHERE run_id = ANY($1)', [runs]);
  await client.query('UPDATE node_stats SET last_error = NULL WHERE last_error_run = ANY($1)', [runs]);
  await client.query(`UPDATE audit_trail SET detail = '{}' WHERE target = ANY($1)`, [runs.map((id) => `run/${id}`)]);
  // What is being built of the events beside them begins anew.
  await client.query('UPDATE projections SET building = building + 1 WHERE building IS NOT NULL');
}

async function pointersOf(client: pg.PoolClient, runs: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  const sources = [
    ...(await tablesOfRuns(client)).flatMap(({ table, columns }) =>
      columns.map(({ name }) => `SELECT "${name}"::text AS text FROM "${table}" WHERE run_id = ANY($1)`),
    ),
    ...['input', 'output', 'seed'].map((name) => `SELECT ${name}::text FROM runs WHERE id = ANY($1)`),
    'SELECT payload::text FROM events JOIN event_streams USING (stream_key) WHERE run_id = ANY($1)',
    'SELECT large_values::text FROM event_archives WHERE run_id = ANY($1)',
  ];
  for (const source of sources) {
    const { rows } = await client.query<{ hash: string }>(
      `SELECT DISTINCT pointer[1] AS hash FROM (${source}) AS source(text), regexp_matches(text, $2, 'g') AS pointer
       WHERE text LIKE '%"$payload"%'`,
      [runs, POINTER],
    );
    for (const { hash } of rows) found.add(hash);
  }
  return [...found];
}

/** Those that nothing else points at. What events point at is sealed, and stays for the chain. */
async function removePayloads(pool: pg.Pool, hashes: readonly string[]): Promise<number> {
  if (hashes.length === 0) return 0;
  const client = await pool.connect();
  try {
    await client.query(`SELECT pg_advisory_lock(${LOCK})`);
    await markReferenced(client, { held: none(), retentionMs: null });
    const { rows } = await client.query<{ hash: string; location: string | null }>(
      `SELECT hash, location FROM payloads WHERE hash = ANY($1)
         AND NOT EXISTS (SELECT FROM payload_marks mark WHERE mark.hash = payloads.hash)`,
      [hashes],
    );
    const { bodies } = storageOf(pool);
    const elsewhere = rows.filter(({ location }) => location !== null).map(({ hash }) => hash);
    if (elsewhere.length > 0 && bodies) await bodies.remove(elsewhere as never);
    await client.query('DELETE FROM payloads WHERE hash = ANY($1)', [rows.map(({ hash }) => hash)]);
    return rows.length;
  } finally {
    // Takes lock and marks along.
    client.release(true);
  }
}

async function* none(): AsyncGenerator<never> {
  // Histories of Temporal do not count: they are deleted next.
}
