import type pg from 'pg';

export const HINT_CHANNEL = 'weft_hint';

/** Tells the projectors that these runs have new history. A lost hint costs time, never an event. */
export async function hintRuns(pool: pg.Pool, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await pool.query(
    `WITH hinted AS (
       INSERT INTO run_hints (run_id) SELECT DISTINCT id FROM unnest($1::text[]) AS id ORDER BY id ON CONFLICT DO NOTHING
     ) SELECT pg_notify('${HINT_CHANNEL}', '')`,
    [runIds],
  );
}

export type HintBatcher = { hint(runId: string): void; close(): Promise<void> };

/** Collects hints for `intervalMs` and sends them as one; failures go to `onError` and are not repeated. */
export function createHintBatcher(
  pool: pg.Pool,
  { intervalMs = 5, onError }: { intervalMs?: number; onError: (error: unknown) => void },
): HintBatcher {
  const waiting = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let sending = Promise.resolve();
  const flush = () => {
    timer = undefined;
    const runIds = [...waiting];
    waiting.clear();
    sending = sending.then(() => hintRuns(pool, runIds)).catch(onError);
  };
  return {
    hint(runId) {
      waiting.add(runId);
      timer ??= setTimeout(flush, intervalMs);
    },
    async close() {
      clearTimeout(timer);
      flush();
      await sending;
    },
  };
}

/** Takes the hints of the given shards away and returns their run ids. */
export async function takeHints(pool: pg.Pool, shards: readonly number[]): Promise<string[]> {
  const { rows } = await pool.query<{ run_id: string }>(
    'DELETE FROM run_hints WHERE shard = ANY($1) RETURNING run_id',
    [shards],
  );
  return rows.map((row) => row.run_id);
}
