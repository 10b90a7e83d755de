import type pg from 'pg';
import type { PayloadHash } from '../../domain/identifiers.ts';

const BATCH = 1_000;
const POINTER = String.raw`"\$payload"\s*:\s*"([0-9a-f]{64})"`;

/**
 * Fills the session's table `payload_marks` with every hash that others hold or that stands in a json column, of any table: one
 * that comes later is not forgotten. A text that only looks like a pointer keeps a payload too long, nothing worse.
 */
export async function markReferenced(
  client: pg.PoolClient,
  { held, retentionMs }: { held: AsyncIterable<PayloadHash>; retentionMs: number | null },
): Promise<void> {
  await client.query('CREATE TEMP TABLE payload_marks (hash text PRIMARY KEY)');
  await markHeld(client, held);
  const closedBefore = retentionMs === null ? null : new Date(Date.now() - retentionMs);
  const { rows } = await client.query<{ table: string; columns: string[]; names: string[] }>(
    `SELECT class.relname AS table,
            array_agg(quote_ident(attname) ORDER BY attnum) FILTER (WHERE atttypid IN ('json'::regtype, 'jsonb'::regtype)) AS columns,
            array_agg(attname::text) AS names
     FROM pg_class class JOIN pg_attribute attribute ON attrelid = class.oid AND attnum > 0 AND NOT attisdropped
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
     GROUP BY class.relname`,
  );
  for (const { table, columns, names } of rows) {
    for (const column of columns ?? []) {
      await client.query(
        `INSERT INTO payload_marks
         SELECT DISTINCT pointer[1] FROM ${quoted(table)} AS source, regexp_matches(source.${column}::text, $1, 'g') AS pointer
         WHERE source.${column}::text LIKE '%"$payload"%' AND ($2::timestamptz IS NULL OR ${countsStill(table, names)})
         ON CONFLICT DO NOTHING`,
        [POINTER, closedBefore],
      );
    }
  }
  await client.query('ANALYZE payload_marks');
}

async function markHeld(client: pg.PoolClient, held: AsyncIterable<PayloadHash>): Promise<void> {
  const batch = new Set<PayloadHash>();
  const flush = async () => {
    await client.query('INSERT INTO payload_marks SELECT unnest($1::text[]) ON CONFLICT DO NOTHING', [[...batch]]);
    batch.clear();
  };
  for await (const hash of held) {
    batch.add(hash);
    if (batch.size >= BATCH) await flush();
  }
  if (batch.size > 0) await flush();
}

/** Whether a row's pointers count although the values of runs that closed before $2 may go. */
function countsStill(table: string, columns: readonly string[]): string {
  if (table === 'runs') return '(source.closed_at IS NULL OR source.closed_at >= $2)';
  const expired = (runId: string) => `EXISTS (SELECT FROM runs WHERE runs.id = ${runId} AND runs.closed_at < $2)`;
  if (table === 'events') {
    return `NOT EXISTS (SELECT FROM event_streams stream WHERE stream.stream_key = source.stream_key AND ${expired('stream.run_id')})`;
  }
  return columns.includes('run_id') ? `NOT ${expired('source.run_id')}` : 'true';
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
