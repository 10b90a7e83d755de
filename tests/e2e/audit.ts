import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from '@jest/globals';
import type { Stack } from './stack.ts';

type StoredRow = { version: string; type: string };

/**
 * Every event of Temporal's history is in the store exactly once, in order. Waits up to `timeoutMs` for the last one, since the
 * feed follows the server.
 */
export async function expectEveryEventOnce(stack: Stack, runId: string, timeoutMs = 30_000): Promise<void> {
  const history = await stack.temporal.client.workflow.getHandle(runId).fetchHistory();
  const expected = (history.events ?? []).map((event) => Number(event.eventId));
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const stored = await storedEvents(stack, runId);
    if (stored.length >= expected.length || Date.now() > deadline) {
      expect(stored.map((row) => Number(row.version))).toEqual(expected);
      return;
    }
    await sleep(100);
  }
}

async function storedEvents({ pool }: Stack, runId: string): Promise<StoredRow[]> {
  const { rows } = await pool.query<StoredRow>(
    `SELECT events.version, type FROM events JOIN event_streams USING (stream_key)
     WHERE run_id = $1 ORDER BY sequence_base, events.version`,
    [runId],
  );
  return rows;
}

/** Positions of a tenant are 1..n without a gap. */
export async function expectDensePositions({ pool }: Stack): Promise<void> {
  const { rows } = await pool.query<{ count: string; highest: string; distinct: string }>(
    'SELECT count(*), max(position) AS highest, count(DISTINCT position) AS distinct FROM events',
  );
  const [totals] = rows;
  expect(totals?.highest ?? '0').toBe(totals?.count);
  expect(totals?.distinct).toBe(totals?.count);
}
