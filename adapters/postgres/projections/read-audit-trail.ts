import type { Json } from '../../../domain/json.ts';
import type { Queryable } from '../payload-store.ts';

export type AuditFilter = {
  tenantId: string;
  first: number;
  /** Those before this position. */
  before?: bigint | undefined;
  actor?: string | undefined;
  /** A type of events, or the beginning of some, such as `access.`. */
  action?: string | undefined;
  target?: string | undefined;
  from?: Date | undefined;
  to?: Date | undefined;
};
export type AuditEntry = {
  position: bigint;
  occurredAt: Date;
  action: string;
  actor: string | null;
  target: string;
  detail: Json;
};

/** Newest first. */
export async function readAuditTrail(
  db: Queryable,
  filter: AuditFilter,
): Promise<{ rows: AuditEntry[]; totalCount: number; hasNextPage: boolean }> {
  const filters = ['tenant_id = $1'];
  const values: unknown[] = [filter.tenantId];
  const bind = (value: unknown) => `$${values.push(value)}`;
  if (filter.actor !== undefined) filters.push(`actor = ${bind(filter.actor)}`);
  if (filter.action !== undefined) filters.push(`starts_with(action, ${bind(filter.action)})`);
  if (filter.target !== undefined) filters.push(`target = ${bind(filter.target)}`);
  if (filter.from !== undefined) filters.push(`occurred_at >= ${bind(filter.from)}`);
  if (filter.to !== undefined) filters.push(`occurred_at < ${bind(filter.to)}`);
  const counting = db.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM audit_trail WHERE ${filters.join(' AND ')}`,
    [...values],
  );
  if (filter.before !== undefined) filters.push(`position < ${bind(filter.before)}`);
  const paging = db.query<AuditEntry>(
    `SELECT position, occurred_at AS "occurredAt", action, actor, target, detail FROM audit_trail
     WHERE ${filters.join(' AND ')} ORDER BY position DESC LIMIT ${bind(filter.first + 1)}`,
    values,
  );
  const [count, page] = await Promise.all([counting, paging]);
  return {
    rows: page.rows.slice(0, filter.first),
    totalCount: count.rows[0]?.count ?? 0,
    hasNextPage: page.rows.length > filter.first,
  };
}
