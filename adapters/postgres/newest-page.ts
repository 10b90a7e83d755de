import type pg from 'pg';

export type NewestListing = {
  first: number;
  /** A cursor made by `newestCursor`. */
  after?: string | undefined;
};
export type NewestPage<Row> = { rows: Row[]; totalCount: number; hasNextPage: boolean };
type Placed = { id: string; created_at: Date };

/**
 * A page of a table with `id` and `created_at`, newest first. A filter that is undefined does not filter; `condition` and the
 * names are SQL of the caller's own.
 */
export async function newestPage<Row extends Placed>(
  pool: pg.Pool,
  table: string,
  filters: Readonly<Record<string, unknown>>,
  { first, after }: NewestListing,
  condition = 'true',
): Promise<NewestPage<Row>> {
  const values: unknown[] = [];
  const bind = (value: unknown) => `$${values.push(value)}`;
  const conditions = [condition];
  for (const [column, value] of Object.entries(filters)) {
    if (value !== undefined) conditions.push(`${column} = ${bind(value)}`);
  }
  const counting = pool.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM ${table} WHERE ${conditions.join(' AND ')}`,
    [...values],
  );
  const place = after === undefined ? undefined : parseNewestCursor(after);
  if (place) conditions.push(`(created_at, id) < (${bind(place.createdAt)}, ${bind(place.id)})`);
  const paging = pool.query<Row>(
    `SELECT * FROM ${table} WHERE ${conditions.join(' AND ')} ORDER BY created_at DESC, id DESC LIMIT ${bind(first + 1)}`,
    values,
  );
  const [count, page] = await Promise.all([counting, paging]);
  return {
    rows: page.rows.slice(0, first),
    totalCount: count.rows[0]?.count ?? 0,
    hasNextPage: page.rows.length > first,
  };
}

export function newestCursor({ id, createdAt }: { id: string; createdAt: Date }): string {
  return Buffer.from(`${createdAt.getTime()}/${id}`).toString('base64url');
}

/** Undefined for a text that is no cursor of ours. */
export function parseNewestCursor(cursor: string): { createdAt: Date; id: string } | undefined {
  const match = /^(\d{1,15})\/([^\0]+)$/.exec(Buffer.from(cursor, 'base64url').toString());
  return match ? { createdAt: new Date(Number(match[1])), id: match[2] as string } : undefined;
}
