import type pg from 'pg';

export const HINT_CHANNEL = 'weft_hint';

/** Tells the projectors that these runs have new history. A lost hint costs time, never an event. */
export async function hintRuns(pool: pg.Pool, runIds: readonly string[]): Promise<void> {
  if (runIds.length === 0) return;
  await pool.query(
    `WITH hinted AS (
       INSERT INTO run_hints (run_id) SELECT DISTINCT id FROM unnest($1::text[]) AS id ORDER BY id
       ON CONFLICT (run_id) DO UPDATE SET hinted_at = now() WHERE run_hints.hinted_at < now() - interval '1 second'
     ) SELECT pg_notify('${HINT_CHANNEL}', '')`,
    [runIds],
  );
}

export type HintBatcher = { hint(runId: string): void; close(): Promise<void> };

export type HintBatcherOptions = { intervalMs?: number; quietMs?: number; onError: (error: unknown) => void };

/**
 * Collects hints for `intervalMs` and sends them as one; failures go to `onError` and are not repeated.
 * A run hinted within the last `quietMs` waits for the end of that time: the projector follows a hinted run for longer than that,
 * so a busy run costs a few hints a second however many steps it takes.
 */
export function createHintBatcher(pool: pg.Pool, options: HintBatcherOptions): HintBatcher {
  const { intervalMs = 5, quietMs = 500, onError } = options;
  const waiting = new Set<string>();
  const later = new Set<string>();
  let recent = new Set<string>();
  let older = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let sending = Promise.resolve();
  const flush = () => {
    timer = undefined;
    const runIds = [...waiting];
    waiting.clear();
    sending = sending.then(() => hintRuns(pool, runIds)).catch(onError);
  };
  const hint = (runId: string) => {
    if (recent.has(runId) || older.has(runId)) {
      later.add(runId);
      return;
    }
    recent.add(runId);
    waiting.add(runId);
    timer ??= setTimeout(flush, intervalMs);
  };
  const turn = setInterval(() => {
    older = recent;
    recent = new Set();
    const due = [...later].filter((runId) => !older.has(runId));
    for (const runId of due) {
      later.delete(runId);
      hint(runId);
    }
  }, quietMs / 2);
  turn.unref();
  return {
    hint,
    async close() {
      clearTimeout(timer);
      clearInterval(turn);
      for (const runId of later) waiting.add(runId);
      flush();
      await sending;
    },
  };
}

/** `ageMs`: since somebody last said so. */
export type Hint = { runId: string; ageMs: number };

/** Takes the hints of the given shards away. */
export async function takeHints(pool: pg.Pool, shards: readonly number[]): Promise<Hint[]> {
  const { rows } = await pool.query<Hint>(
    `DELETE FROM run_hints WHERE shard = ANY($1)
     RETURNING run_id AS "runId", (extract(epoch FROM now() - hinted_at) * 1000)::float8 AS "ageMs"`,
    [shards],
  );
  return rows;
}
