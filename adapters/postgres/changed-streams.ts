import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';

/** Streams of a tenant that have got new events. */
export type ChangedStreams = { tenantId: string; streams: string[] };

/** Which streams of any tenant get events from now on; the first that is given is empty and says that it has begun. */
export async function* watchChangedStreams(
  pool: pg.Pool,
  signal: AbortSignal,
  everyMs = 100,
): AsyncGenerator<ChangedStreams[], never> {
  let heads = await readHeads(pool);
  yield [];
  for (;;) {
    await sleep(everyMs, undefined, { signal });
    const now = await readHeads(pool);
    const moved = [...now].filter(([tenantId, head]) => head > (heads.get(tenantId) ?? 0n));
    const changed: ChangedStreams[] = [];
    for (const [tenantId, head] of moved) {
      changed.push({ tenantId, streams: await readStreams(pool, tenantId, heads.get(tenantId) ?? 0n, head) });
    }
    heads = now;
    if (changed.length > 0) yield changed;
  }
}

async function readHeads(pool: pg.Pool): Promise<Map<string, bigint>> {
  const { rows } = await pool.query<{ tenant_id: string; head: bigint }>({
    name: 'read-all-event-heads',
    text: 'SELECT tenant_id, head FROM tenant_heads',
  });
  return new Map(rows.map(({ tenant_id, head }) => [tenant_id, BigInt(head)]));
}

async function readStreams(pool: pg.Pool, tenantId: string, after: bigint, upTo: bigint): Promise<string[]> {
  const { rows } = await pool.query<{ stream_id: string }>({
    name: 'read-changed-streams',
    text: `SELECT stream_id FROM event_streams WHERE tenant_id = $1 AND stream_key IN (
             SELECT stream_key FROM events WHERE tenant_id = $1 AND position > $2 AND position <= $3)`,
    values: [tenantId, after, upTo],
  });
  return rows.map(({ stream_id }) => stream_id);
}
