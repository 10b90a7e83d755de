import type pg from 'pg';
import { DEFAULT_TENANT } from '../../domain/identifiers.ts';
import type { TokenEvent, TokenPlace, TokenPublisher } from '../../domain/models/token-event.ts';
import { runLineage } from '../../domain/runs/child-run-id.ts';

export const TOKENS_CHANNEL = 'weft_tokens';
/** NOTIFY takes less than 8000 bytes; without names all who listen look. */
const LONGEST_NOTICE = 7_000;
/** What waits beyond this is dropped: the database is away, and it was a preview. */
const MOST_WAITING = 20_000;
const CLEANING_MS = 60_000;

export type TokenPublisherOptions = { flushMs: number; retentionMinutes: number; onError: (error: unknown) => void };

type Chunk = TokenPlace & { seq: number; event: TokenEvent };

/**
 * Hands tokens on by way of a table that all processes read. All streams of this process share one statement every `flushMs`: text
 * that came meanwhile is one row, and one NOTIFY says whose it is.
 */
export function createTokenPublisher(
  pool: pg.Pool,
  { flushMs, retentionMinutes, onError }: TokenPublisherOptions,
): TokenPublisher & { close: () => Promise<void> } {
  let waiting: Chunk[] = [];
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> = Promise.resolve();
  let lastFlushAt = 0;
  let bundle = 0;

  const flushWaiting = async (): Promise<void> => {
    const taken = waiting;
    waiting = [];
    bundle += 1;
    if (taken.length === 0) return;
    lastFlushAt = performance.now();
    try {
      await insertChunks(pool, taken);
    } catch (error) {
      onError(error);
    }
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    flushing = flushing.then(flushWaiting);
    return flushing;
  };
  const add = (chunk: Chunk) => {
    if (waiting.length < MOST_WAITING) waiting.push(chunk);
    // The first after a pause goes at once, so that it is seen at once.
    timer ??= setTimeout(() => void flush(), Math.max(0, flushMs - (performance.now() - lastFlushAt)));
  };
  const cleaning = setInterval(() => {
    pool
      .query('DELETE FROM token_chunks WHERE recorded_at < clock_timestamp() - make_interval(mins => $1)', [
        retentionMinutes,
      ])
      .catch(onError);
  }, CLEANING_MS);
  cleaning.unref();

  return {
    open(place) {
      let seq = 0;
      let last: Chunk | undefined;
      let bundleOfLast = -1;
      return {
        write(event) {
          if (last && bundleOfLast === bundle && joined(last.event, event)) return;
          seq += 1;
          last = { ...place, seq, event: { ...event } };
          bundleOfLast = bundle;
          add(last);
        },
        close: flush,
      };
    },
    async close() {
      clearInterval(cleaning);
      await flush();
    },
  };
}

/** Adds to an event that waits what only goes on with it. */
function joined(before: TokenEvent, next: TokenEvent): boolean {
  if ((before.type !== 'text' && before.type !== 'reasoning') || before.type !== next.type) return false;
  before.text += next.text;
  return true;
}

async function insertChunks(pool: pg.Pool, chunks: readonly Chunk[]): Promise<void> {
  const runs = [...new Set(chunks.map(({ runId }) => runId))].join(' ');
  const column = (read: (chunk: Chunk) => unknown) => chunks.map(read);
  await pool.query({
    name: 'insert-token-chunks',
    text: `WITH added AS (
             INSERT INTO token_chunks (tenant_id, run_id, node_id, iteration, attempt, seq, event)
             SELECT coalesce((SELECT tenant_id FROM runs WHERE runs.id IN (chunk.run_id, chunk.root) ORDER BY runs.id = chunk.root LIMIT 1), $1),
                    chunk.run_id, chunk.node_id, chunk.iteration, chunk.attempt, chunk.seq, chunk.event
             FROM unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::int[], $7::jsonb[], $9::text[])
               AS chunk(run_id, node_id, iteration, attempt, seq, event, root)
             ON CONFLICT (run_id, node_id, iteration, attempt, seq) DO UPDATE SET event = excluded.event, recorded_at = clock_timestamp())
           SELECT pg_notify('${TOKENS_CHANNEL}', $8)`,
    values: [
      DEFAULT_TENANT,
      column(({ runId }) => runId),
      column(({ nodeId }) => nodeId),
      column(({ iteration }) => iteration),
      column(({ attempt }) => attempt),
      column(({ seq }) => seq),
      column(({ event }) => JSON.stringify(event)),
      runs.length > LONGEST_NOTICE ? '' : runs,
      column(({ runId }) => runLineage(runId).at(-1)),
    ],
  });
}
