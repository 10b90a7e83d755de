import type pg from 'pg';
import { inTransaction } from './transaction.ts';

/** What opens something; an export must not. */
const SECRETS = [
  'password_hash',
  'secret_hash',
  'token_hash',
  'used_hashes',
  'secrets',
  'wrapped_key',
  'sealed_key',
  'key',
  'secret',
];
const PAGE = 500;

export type ExportedRow = { table: string; row: unknown };

/** Every row of the tenant in every table, of one moment, without secrets. */
export async function exportTenant(
  pool: pg.Pool,
  tenantId: string,
  write: (rows: readonly ExportedRow[]) => Promise<void>,
): Promise<void> {
  const work = async (client: pg.PoolClient) => {
    for (const table of await tablesOfTenants(client)) {
      await client.query(
        `DECLARE rows NO SCROLL CURSOR FOR
        SELECT to_jsonb(one) - $2::text[] AS row FROM ${table} one WHERE tenant_id = $1`,
        [tenantId, SECRETS],
      );
      for (;;) {
        const { rows } = await client.query<{ row: unknown }>(`FETCH ${PAGE} FROM rows`);
        if (rows.length === 0) break;
        await write(rows.map(({ row }) => ({ table, row })));
      }
      await client.query('CLOSE rows');
    }
  };
  await inTransaction(pool, work, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
}

/** Partitions belong to their table. */
async function tablesOfTenants(client: pg.PoolClient): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT quote_ident(relname) AS name FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
     WHERE attname = 'tenant_id' AND relkind IN ('r', 'p') AND NOT relispartition
       AND relnamespace = current_schema()::regnamespace AND relname <> 'erasure_keys' ORDER BY relname`,
  );
  return rows.map(({ name }) => name);
}
