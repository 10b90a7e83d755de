import type pg from 'pg';
import { BLOCK_POSITIONS } from './insert-events.ts';
import type { Tampering } from '../../domain/events/verification.ts';

/** Whether tenants have every position from 1 to their head, and every event its stream: what is gone as a whole leaves a gap. */
export async function verifyTenants(client: pg.PoolClient, tenantId: string | undefined): Promise<Tampering[]> {
  const tenants = await client.query<{ tenant_id: string; head: bigint; events: bigint; last: bigint }>(
    `SELECT coalesce(head.tenant_id, counted.tenant_id) AS tenant_id, coalesce(head.head, 0) AS head,
            coalesce(counted.events, 0) AS events, coalesce(counted.last, 0) AS last
     FROM tenant_heads head FULL JOIN (
       SELECT tenant_id, sum(events)::bigint AS events, max(last) AS last FROM (
         SELECT tenant_id, count(*) AS events, max(position) AS last FROM events GROUP BY tenant_id
         UNION ALL SELECT tenant_id, sum(events), max(last_position) FROM event_archives GROUP BY tenant_id
       ) both_places GROUP BY tenant_id
     ) counted ON counted.tenant_id = head.tenant_id
     WHERE $1::text IS NULL OR coalesce(head.tenant_id, counted.tenant_id) = $1`,
    [tenantId ?? null],
  );
  const positions = tenants.rows
    .filter(({ head, events, last }) => head !== events || head !== last)
    .map(({ tenant_id, head, events, last }) => {
      const detail = `${head} positions were given out, ${events} events are there, the last at ${last}`;
      return { tenantId: tenant_id, streamId: null, version: null, kind: 'POSITION' as const, detail };
    });
  const orphans = await client.query<{ tenant_id: string; stream_key: bigint; events: bigint }>(
    `SELECT tenant_id, stream_key, count(*) AS events FROM events
     WHERE ($1::text IS NULL OR tenant_id = $1)
       AND NOT EXISTS (SELECT FROM event_streams stream
                       WHERE stream.stream_key = events.stream_key AND stream.tenant_id = events.tenant_id)
     GROUP BY tenant_id, stream_key`,
    [tenantId ?? null],
  );
  const orphaned = orphans.rows.map(({ tenant_id, stream_key, events }) => {
    const detail = `${events} events belong to stream number ${stream_key}, which this tenant does not have`;
    return { tenantId: tenant_id, streamId: null, version: null, kind: 'ORPHANED' as const, detail };
  });
  return [...positions, ...orphaned, ...(await unlistedEvents(client, tenantId))];
}

/** Reads by type and by correlation id look where the blocks say: what these do not name is not found. */
async function unlistedEvents(client: pg.PoolClient, tenantId: string | undefined): Promise<Tampering[]> {
  const { rows } = await client.query<{ tenant_id: string; kind: string; key: string; blocks: number }>(
    `SELECT tenant_id, kind, key, count(*)::int AS blocks FROM (
       SELECT DISTINCT tenant_id, 'type' AS kind, type AS key, (position - 1) / $2 AS block FROM events
       UNION SELECT DISTINCT tenant_id, 'correlation', correlation_id, (position - 1) / $2 FROM events
             WHERE correlation_id IS NOT NULL
       EXCEPT SELECT tenant_id, kind, key, block FROM event_blocks
     ) AS unlisted WHERE $1::text IS NULL OR tenant_id = $1 GROUP BY tenant_id, kind, key ORDER BY tenant_id, kind, key`,
    [tenantId ?? null, BLOCK_POSITIONS],
  );
  return rows.map(({ tenant_id, kind, key, blocks }) => {
    const detail = `in ${blocks} blocks no read by ${kind} finds ${key}`;
    return { tenantId: tenant_id, streamId: null, version: null, kind: 'UNLISTED' as const, detail };
  });
}
