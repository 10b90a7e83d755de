import type { Queryable } from '../payload-store.ts';

export type ProjectionFigures = { name: string; lagEvents: number; lagMs: number; failed: boolean; building: boolean };

/** At the tenant that is furthest behind. */
export async function readProjectionFigures(db: Queryable): Promise<ProjectionFigures[]> {
  const { rows } = await db.query<ProjectionFigures>(
    `SELECT projection.name, coalesce(lag.events, 0)::float8 AS "lagEvents", coalesce(lag.ms, 0)::float8 AS "lagMs",
            error IS NOT NULL AS failed, building IS NOT NULL AS building
     FROM projections projection
     LEFT JOIN LATERAL (
       SELECT max(head.head - part.position) AS events,
              max(extract(epoch FROM clock_timestamp() - oldest.recorded_at) * 1000) AS ms
       FROM subscription_partitions part JOIN tenant_heads head USING (tenant_id)
       CROSS JOIN LATERAL (
         SELECT recorded_at FROM events event
         WHERE event.tenant_id = part.tenant_id AND event.position > part.position ORDER BY event.position LIMIT 1
       ) AS oldest
       WHERE part.name = 'projection/' || projection.name || '/' || projection.generation AND part.position < head.head
     ) AS lag ON true`,
  );
  return rows;
}
