import type { Queryable } from '../payload-store.ts';

/**
 * Moves subscriptions past what is none of their types, all in one statement: a projection reads few types, and a batch without
 * any would cost it a transaction. Where events of the stretch are in archives, or one of them failed, nothing is passed.
 * Gives how many places moved.
 */
export async function passOver(db: Queryable, names: readonly string[], most: number): Promise<number> {
  const { rowCount } = await db.query({
    name: 'pass-over-events',
    text: `WITH free AS (
             SELECT part.tenant_id, part.name, part.partition, part.position, head.head, held.types
             FROM subscription_partitions part
             JOIN subscriptions held USING (tenant_id, name) JOIN tenant_heads head USING (tenant_id)
             WHERE part.name = ANY($1) AND part.position < head.head AND head.head - part.position <= $2
               AND part.failures = 0 AND held.types IS NOT NULL
             FOR UPDATE OF part SKIP LOCKED
           )
           UPDATE subscription_partitions part SET position = free.head
           FROM free CROSS JOIN LATERAL (
             SELECT count(*) AS events, count(*) FILTER (WHERE type = ANY(free.types)) AS wanted FROM events
             WHERE events.tenant_id = free.tenant_id AND events.position > free.position AND events.position <= free.head
           ) AS stretch
           WHERE part.tenant_id = free.tenant_id AND part.name = free.name AND part.partition = free.partition
             AND stretch.wanted = 0 AND stretch.events = free.head - free.position`,
    values: [names, most],
  });
  return rowCount ?? 0;
}
