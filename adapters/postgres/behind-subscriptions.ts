import type { Queryable } from './payload-store.ts';

/** Tenants with events that the subscription of this name has not handled; also those that it was not made for yet. */
export async function tenantsBehind(db: Queryable, name: string): Promise<{ tenantId: string; isNew: boolean }[]> {
  const { rows } = await db.query<{ tenantId: string; isNew: boolean }>({
    name: 'tenants-behind',
    text: `SELECT head.tenant_id AS "tenantId", part.position IS NULL AS "isNew"
           FROM tenant_heads head LEFT JOIN subscription_partitions part ON part.tenant_id = head.tenant_id AND part.name = $1
           WHERE part.position IS NULL OR (part.position < head.head AND part.due_at <= clock_timestamp())`,
    values: [name],
  });
  return rows;
}

/** Has the subscription begin again after this position, where it is beyond it. Gives whether it was. */
export async function rewindSubscription(
  db: Queryable,
  { tenantId, name, position }: { tenantId: string; name: string; position: bigint },
): Promise<boolean> {
  const { rowCount } = await db.query(
    'UPDATE subscription_partitions SET position = $3 WHERE tenant_id = $1 AND name = $2 AND position > $3',
    [tenantId, name, position],
  );
  return (rowCount ?? 0) > 0;
}
